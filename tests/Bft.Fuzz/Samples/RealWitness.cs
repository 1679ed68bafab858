using System.Net;
using Bft.Node.Tests.Support;
using Bft.Wire.Frames;

namespace Bft.Fuzz.Samples;

/// <summary>A witness in this process, over TLS, on a disk: what it is asked by an honest party it answers, whatever others send.</summary>
internal sealed class RealWitness : IDisposable
{
    /// <summary>Every so many rounds an honest party asks for the witness's status.</summary>
    private const int HonestEvery = 25;

    /// <summary>Far above what the witness and this program need; a leak per connection reaches it. Unit: bytes.</summary>
    private const long MemoryMax = 512L << 20;

    private LocalCluster? _cluster;
    private TestConnection? _honest;
    private int _rounds;

    public static TimeSpan AnswerMax { get; } = TimeSpan.FromSeconds(120);

    /// <summary>An address of its own for each: one that misbehaves may be shut out.</summary>
    public static IPEndPoint Stranger(int number) => new(new IPAddress([127, 66, (byte)((number >> 8) & 0xff), (byte)(number & 0xff)]), 0);

    public async Task<LocalCluster> StartedAsync()
    {
        if (_cluster is null)
        {
            LocalCluster cluster = new();
            await cluster.StartAsync(0);
            _honest = new TestConnection(cluster, 0);
            _cluster = cluster;
        }

        return _cluster;
    }

    /// <summary>A round is over. Now and then the honest party asks, on a connection that stood all the time.</summary>
    public async Task AskAsync()
    {
        if (++_rounds % HonestEvery != 0)
        {
            return;
        }

        StatusFrame status = await _honest!.StatusAsync(_cluster!.Reader).WaitAsync(AnswerMax);
        OracleException.Require(!_cluster[0].Ended.IsCompleted, "The witness has stopped.");
        OracleException.Require(status.State is not WitnessState.Faulted, "The witness is faulted.");
        long memory = GC.GetTotalMemory(forceFullCollection: false);
        OracleException.Require(memory < MemoryMax || GC.GetTotalMemory(forceFullCollection: true) < MemoryMax, $"After the connections so far the process holds {memory} bytes.");
    }

    public void Dispose()
    {
        _honest?.Dispose();
        _cluster?.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
