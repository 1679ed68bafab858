using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using Bft.Crypto;
using Bft.Fuzz.Samples;
using Bft.Node.Tests.Support;
using Bft.Protocol.Membership;
using Bft.Protocol.Verification;
using Bft.Wire;
using Bft.Wire.Frames;
using Bft.Wire.Tests;
using Grpc.Core;
using Grpc.Net.Client;

namespace Bft.Fuzz.Targets;

/// <summary>Messages of a party that proved its key, on a call to a real witness: u8 call · each message behind its length u16.</summary>
internal sealed class SessionTarget() : Target<Outcome>("session"), IDisposable
{
    private static readonly Marshaller<byte[]> Raw = new(bytes => bytes, bytes => bytes);
    private static readonly string[] Calls = ["Witness/Publish", "Witness/Subscribe", "Witness/Fetch", "Witness/Evidence", "Witness/Status", "Peer/Exchange"];

    /// <summary>A connection serves so many calls.</summary>
    private const int CallsPerConnection = 20;

    /// <summary>An answer comes sooner, or none does.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(20);

    private readonly RealWitness _witness = new();
    private GrpcChannel? _channel;
    private int _rounds;

    /// <summary>A network is between.</summary>
    public override bool IsRepeatable => false;

    /// <summary>The witness's memory is looked at, not what this thread does for a call.</summary>
    public override long AllocatedMax(int length) => long.MaxValue;

    public override TimeSpan TimeMax(int length) => RealWitness.AnswerMax;

    public override IEnumerable<Seed> Seeds()
    {
        for (int call = 0; call < Calls.Length; call++)
        {
            Type requests = call switch { 0 => typeof(IPublishRequest), 1 => typeof(ISubscribeRequest), 2 => typeof(IFetchRequest), 3 => typeof(IEvidenceRequest), 4 => typeof(IStatusRequest), _ => typeof(IExchangeRequest) };
            Sample[] legal = [.. Sample.All.Where(sample => requests.IsInstanceOfType(sample.Frame))];
            yield return new Seed($"{call}-all", Join(call, legal.Select(sample => sample.Encoded)));
            foreach (Sample sample in legal.Where(sample => sample.Frame is not HelloFrame))
            {
                yield return new Seed($"{call}-{sample.Name}", Join(call, [sample.Encoded]));
            }
        }

        yield return new Seed("0-real-batches", Join(0, World.Batches.Take(3).Select(batch => Encoded(new BatchFrame(new SignedBatch(batch.Statement.Statement.Bytes, batch.Statement.Signature, batch.Body))))));
        yield return new Seed("5-real-certificates", Join(5, World.Certificates.Select(certificate => Encoded(new TipFrame(certificate.Certificate.Bytes)))));
        yield return new Seed("5-real-acks", Join(5, World.Bundles.Select(bundle => Encoded(new AcksFrame(bundle.Encode())))));
        yield return new Seed("5-real-evidence", Join(5, World.Evidence.Select(evidence => Encoded(new EvidenceFrame(evidence.Encode())))));
    }

    public override byte[]? Change(byte[] input, Mutator mutator)
    {
        if (input.Length == 0 || Split(input) is not { Count: > 0 } messages)
        {
            return null;
        }

        int at = mutator.Random.Below(messages.Count);
        if (Fields.Change(messages[at], mutator, depth: 0) is { } changed)
        {
            messages[at] = changed;
        }
        else
        {
            messages.Insert(at, messages[at]);
        }

        return Join(input[0], messages);
    }

    protected override Outcome Decode(byte[] input) => RunAsync(input).GetAwaiter().GetResult();

    protected override Outcome Judge(byte[] input, Outcome decoded) => decoded;

    public void Dispose()
    {
        _channel?.Dispose();
        _witness.Dispose();
    }

    private async Task<Outcome> RunAsync(byte[] input)
    {
        LocalCluster cluster = await _witness.StartedAsync();
        if (_rounds++ % CallsPerConnection == 0)
        {
            _channel?.Dispose();
            _channel = Channel(cluster, _rounds);
        }

        Outcome outcome = await CallAsync(cluster, _channel!.CreateCallInvoker(), input);
        await _witness.AskAsync();
        return outcome;
    }

    private static GrpcChannel Channel(LocalCluster cluster, int number)
    {
        SocketsHttpHandler handler = new()
        {
            ConnectCallback = async (context, cancellation) =>
            {
                Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                socket.Bind(RealWitness.Stranger(number));
                await socket.ConnectAsync(context.DnsEndPoint, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        return GrpcChannel.ForAddress(cluster.File.Witnesses[0].Address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
    }

    private static async Task<Outcome> CallAsync(LocalCluster cluster, CallInvoker invoker, byte[] input)
    {
        string[] name = Calls[input.Length == 0 ? 0 : input[0] % Calls.Length].Split('/');
        Method<byte[], byte[]> method = new(MethodType.DuplexStreaming, $"bft.v1.{name[0]}", name[1], Raw, Raw);
        using AsyncDuplexStreamingCall<byte[], byte[]> call = invoker.AsyncDuplexStreamingCall(method, null, new CallOptions(deadline: DateTime.UtcNow + RealWitness.AnswerMax));
        Outcome outcome = Outcome.Accepted;
        try
        {
            Ed25519Signer signer = name[0] == "Peer" ? cluster.WitnessSigner(1) : cluster.Publisher;
            await call.ResponseStream.MoveNext(CancellationToken.None);
            if (Decoded(call.ResponseStream.Current) is not ChallengeFrame challenge)
            {
                return Outcome.Rejected("no challenge");
            }

            HelloStatement hello = new(cluster.Committee.Cluster, signer.PublicKey, new WitnessIndex(0), cluster.File.Witnesses[0].Pin, challenge.Nonce);
            await call.RequestStream.WriteAsync(Encoded(new HelloFrame(signer.PublicKey, hello.Sign(signer))));
            foreach (byte[] message in Split(input) ?? [])
            {
                await call.RequestStream.WriteAsync(message);
            }

            await call.RequestStream.CompleteAsync();
            SortedSet<int> seen = [];
            while (true)
            {
                Task<bool> next = call.ResponseStream.MoveNext(CancellationToken.None);
                if (await Task.WhenAny(next, Task.Delay(Silence)) != next)
                {
                    // Observed, though nobody waits: the call goes away below it.
                    _ = next.ContinueWith(task => task.Exception, TaskScheduler.Default);
                    break;
                }

                if (!await next)
                {
                    break;
                }

                seen.Add((int)Decoded(call.ResponseStream.Current).Kind);
            }

            return seen.Aggregate(outcome.With(name[1]), (sum, kind) => sum.With((ulong)kind));
        }
        catch (RpcException refusal)
        {
            return Outcome.Rejected(name[1] + refusal.StatusCode + refusal.Status.Detail[..Math.Min(24, refusal.Status.Detail.Length)]);
        }
    }

    private static IFrame Decoded(byte[] message) => FrameCodec.Decode<IFrame>(new ReadOnlySequence<byte>(message));

    private static byte[] Encoded(IFrame frame)
    {
        ArrayBufferWriter<byte> output = new();
        FrameCodec.Encode(frame, output);
        return output.WrittenSpan.ToArray();
    }

    private static byte[] Join(int call, IEnumerable<byte[]> messages) =>
        [(byte)call, .. messages.Where(message => message.Length <= ushort.MaxValue).SelectMany(message => (byte[])[(byte)(message.Length & 0xff), (byte)(message.Length >> 8), .. message])];

    private static List<byte[]>? Split(byte[] input)
    {
        List<byte[]> messages = [];
        for (int at = 1; at < input.Length;)
        {
            int length = at + sizeof(ushort) > input.Length ? int.MaxValue : BinaryPrimitives.ReadUInt16LittleEndian(input.AsSpan(at));
            at += sizeof(ushort);
            length = Math.Min(length, Math.Max(0, input.Length - at));
            messages.Add(input.AsSpan(Math.Min(at, input.Length), length).ToArray());
            at += length;
        }

        return messages;
    }
}
