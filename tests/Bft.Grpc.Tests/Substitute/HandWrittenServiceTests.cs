using System.Buffers;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bft.Grpc.Tests.Substitute;

/// <summary>Services and clients whose marshallers and bindings are not generated, as those of the hot paths.</summary>
public sealed class HandWrittenServiceTests : IAsyncLifetime
{
    private readonly Lives _lives = new();
    private EchoHost _host = null!;
    private CallInvoker _invoker = null!;

    public async Task InitializeAsync()
    {
        _host = await EchoHost.StartAsync(services: services => services.AddSingleton(_lives), map: app => app.MapGrpcService<BlobService>());
        _invoker = _host.Channel().CreateCallInvoker();
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Theory]
    [InlineData(Way.Declared)]
    [InlineData(Way.Undeclared)]
    [InlineData(Way.Whole)]
    public async Task Every_way_to_serialise_arrives(Way way)
    {
        foreach (int length in new[] { 0, 1, 100_000 })
        {
            Blob answer = await _invoker.AsyncUnaryCall(BlobServiceBase.Copy, null, default, new Blob(way, new byte[length]));
            Assert.Equal(length, answer.Bytes.Length);
        }
    }

    [Theory]
    [InlineData(Way.TooShort)]
    [InlineData(Way.TooLong)]
    [InlineData(Way.Incomplete)]
    [InlineData(Way.Throws)]
    public async Task A_serializer_that_breaks_its_contract_ends_the_call_on_either_side(Way way)
    {
        Blob broken = new(way, new byte[1000]);
        Assert.Equal(StatusCode.Internal, (await EchoHost.FailureOf(_invoker.AsyncUnaryCall(BlobServiceBase.Copy, null, default, broken).ResponseAsync)).StatusCode);

        using AsyncClientStreamingCall<Blob, Blob> stream = _invoker.AsyncClientStreamingCall(BlobServiceBase.Sum, null, default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => stream.RequestStream.WriteAsync(broken));
        Assert.Equal(StatusCode.Internal, (await EchoHost.FailureOf(stream.ResponseAsync)).StatusCode);

        _lives.AnswerWith = way;
        Assert.Equal(StatusCode.Internal, (await EchoHost.FailureOf(_invoker.AsyncUnaryCall(BlobServiceBase.Copy, null, default, new Blob(Way.Declared, [1])).ResponseAsync)).StatusCode);
    }

    [Fact]
    public async Task A_service_that_is_not_registered_lives_for_one_call()
    {
        await _invoker.AsyncUnaryCall(BlobServiceBase.Copy, null, default, new Blob(Way.Whole, []));
        await _invoker.AsyncUnaryCall(BlobServiceBase.Copy, null, default, new Blob(Way.Whole, []));

        // The response may arrive before its call has ended.
        SpinWait.SpinUntil(() => _lives.Ended == 2, EchoHost.Patience);
        Assert.Equal((2, 2), (_lives.Begun, _lives.Ended));
    }

    public enum Way
    {
        Declared,
        Undeclared,
        Whole,
        TooShort,
        TooLong,
        Incomplete,
        Throws,
    }

    public sealed record Blob(Way Way, byte[] Bytes);

    public sealed class Lives
    {
        private int _begun;
        private int _ended;

        public int Begun => Volatile.Read(ref _begun);

        public int Ended => Volatile.Read(ref _ended);

        public Way AnswerWith { get; set; }

        public void Begin() => Interlocked.Increment(ref _begun);

        public void End() => Interlocked.Increment(ref _ended);
    }

    [BindServiceMethod(typeof(BlobServiceBase), nameof(Bind))]
    public abstract class BlobServiceBase
    {
        private static readonly Marshaller<Blob> Marshaller = Marshallers.Create<Blob>(Write, context => new Blob(Way.Whole, context.PayloadAsNewBuffer()));

        public static Method<Blob, Blob> Copy { get; } = new(MethodType.Unary, "test.Blobs", nameof(CopyAsync), Marshaller, Marshaller);

        public static Method<Blob, Blob> Sum { get; } = new(MethodType.ClientStreaming, "test.Blobs", nameof(SumAsync), Marshaller, Marshaller);

        public static void Bind(ServiceBinderBase binder, BlobServiceBase? service)
        {
            binder.AddMethod(Copy, service is null ? null : new UnaryServerMethod<Blob, Blob>(service.CopyAsync));
            binder.AddMethod(Sum, service is null ? null : new ClientStreamingServerMethod<Blob, Blob>(service.SumAsync));
        }

        public abstract Task<Blob> CopyAsync(Blob request, ServerCallContext context);

        public abstract Task<Blob> SumAsync(IAsyncStreamReader<Blob> requests, ServerCallContext context);

        private static void Write(Blob blob, SerializationContext context)
        {
            if (blob.Way == Way.Whole)
            {
                context.Complete(blob.Bytes);
                return;
            }

            if (blob.Way != Way.Undeclared)
            {
                context.SetPayloadLength(blob.Bytes.Length);
            }

            context.GetBufferWriter().Write(blob.Way == Way.TooShort ? blob.Bytes.AsSpan(1) : blob.Bytes);
            switch (blob.Way)
            {
                case Way.TooLong:
                    context.GetBufferWriter().Write("more"u8);
                    break;
                case Way.Throws:
                    throw new InvalidOperationException("The blob cannot be written.");
                case Way.Incomplete:
                    return;
            }

            context.Complete();
        }
    }

    public sealed class BlobService : BlobServiceBase, IDisposable
    {
        private readonly Lives _lives;

        public BlobService(Lives lives)
        {
            _lives = lives;
            lives.Begin();
        }

        public override Task<Blob> CopyAsync(Blob request, ServerCallContext context) => Task.FromResult(request with { Way = _lives.AnswerWith });

        public override async Task<Blob> SumAsync(IAsyncStreamReader<Blob> requests, ServerCallContext context)
        {
            int sum = 0;
            await foreach (Blob request in requests.ReadAllAsync())
            {
                sum += request.Bytes.Length;
            }

            return new Blob(Way.Whole, BitConverter.GetBytes(sum));
        }

        public void Dispose() => _lives.End();
    }
}
