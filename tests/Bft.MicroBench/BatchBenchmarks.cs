using System.Buffers;
using BenchmarkDotNet.Attributes;
using Bft.Protocol.Bodies;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Wire;
using Bft.Wire.Frames;

namespace Bft.MicroBench;

/// <summary>A batch of small messages on its way: made, encoded, decoded, verified, read. Columns are per batch: what does not grow with its messages is not theirs.</summary>
public class BatchBenchmarks
{
    private const int PayloadBytes = 100;
    private readonly ArrayBufferWriter<byte> _frame = new(512 * 1024);
    private readonly Message _message = new(new byte[PayloadBytes]);
    private TestCluster _cluster = null!;
    private BodyBuilder _builder = null!;
    private DecodedMessage[] _read = []; // a receiver's is pooled
    private byte[] _body = [];
    private SignedBatch _batch = null!;
    private VerifiedBatch _verified = null!;
    private ReadOnlySequence<byte> _received;

    [Params(500, 2_000)]
    public int Messages { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _cluster = new TestCluster();
        _builder = new BodyBuilder(_cluster.Committee.Limits);
        _batch = _cluster.Stream().Sign(0, default, [.. Enumerable.Repeat(new string('m', PayloadBytes), Messages)]);
        _body = new byte[_batch.Body.Length];
        _read = new DecodedMessage[Messages];
        _frame.ResetWrittenCount();
        FrameCodec.Encode(new BatchFrame(_batch), _frame);
        _received = new ReadOnlySequence<byte>(_frame.WrittenMemory.ToArray());
        _verified = _cluster.Batches.TryVerify(_batch, out VerifiedBatch? verified, out RejectReason reason) ? verified : throw new InvalidOperationException($"{reason}");
    }

    [GlobalCleanup]
    public void Cleanup() => _cluster.Dispose();

    [Benchmark(Description = "collect into a body, and hash it")]
    public BodyDescription Build()
    {
        for (int i = 0; i < Messages; i++)
        {
            _builder.TryAdd(_message);
        }

        return _builder.Build(_body);
    }

    [Benchmark(Description = "encode the batch's frame")]
    public int Encode()
    {
        _frame.ResetWrittenCount();
        FrameCodec.Encode(new BatchFrame(_batch), _frame);
        return _frame.WrittenCount;
    }

    [Benchmark(Description = "decode the batch's frame")]
    public int Decode()
    {
        BatchFrame frame = (BatchFrame)FrameCodec.Decode<IPublishRequest>(_received);
        int length = frame.Batch.Body.Length;
        frame.Batch.BodyOwner!.Dispose();
        return length;
    }

    [Benchmark(Description = "verify statement, signature, body")]
    public bool Verify() => _cluster.Batches.TryVerify(_batch, out _, out _);

    [Benchmark(Description = "read the messages")]
    public int Read()
    {
        ReadOnlyMemory<byte> body = _verified.Body;
        if (!ChunkTable.TryRead(body.Span, Messages, _cluster.Committee.Limits.TableBytesMax, out ChunkTable? table))
        {
            return 0;
        }

        foreach (ChunkEntry entry in table.Entries)
        {
            DecodedBody.ReadChunk(entry, body.Slice(entry.Offset, entry.Length), _read);
        }

        return _read.Length;
    }
}
