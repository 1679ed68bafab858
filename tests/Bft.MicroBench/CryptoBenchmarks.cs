using BenchmarkDotNet.Attributes;
using Bft.Crypto;
using Bft.Protocol.Tests.Support;

namespace Bft.MicroBench;

/// <summary>Hashes, trees and signatures: one operation each.</summary>
public class CryptoBenchmarks
{
    private const int Chunks = 17; // of a body of 256 KiB: its table, and 16 KiB each
    private readonly byte[] _chunk = new byte[16 * 1024];
    private readonly byte[] _statement = new byte[128];
    private readonly Digest[] _leaves = [.. Enumerable.Range(0, Chunks).Select(index => Sha256.Hash([(byte)index]))];
    private Ed25519Signer _signer = null!;
    private Signature _signature;
    private Digest[] _path = [];

    [GlobalSetup]
    public void Setup()
    {
        _signer = TestCluster.SignerOf('p', 0);
        _signature = _signer.Sign(_statement);
        _path = new MerkleTree(_leaves).PathOf(3);
    }

    [GlobalCleanup]
    public void Cleanup() => _signer.Dispose();

    [Benchmark(Description = "hash, 16 KiB")]
    public Digest HashChunk() => Sha256.Hash(_chunk);

    [Benchmark(Description = "hash, 128 B")]
    public Digest HashStatement() => Sha256.Hash(_statement);

    [Benchmark(Description = "Merkle root of 17 leaves")]
    public Digest MerkleRoot() => Merkle.Root(_leaves);

    [Benchmark(Description = "Merkle tree of 17 leaves and a path")]
    public Digest[] MerklePath() => new MerkleTree(_leaves).PathOf(3);

    [Benchmark(Description = "Merkle root from a path")]
    public bool MerkleCheck() => Merkle.TryRootFromPath(_leaves[3], 3, Chunks, _path, out _);

    [Benchmark(Description = "sign")]
    public Signature Sign() => _signer.Sign(_statement);

    [Benchmark(Description = "verify")]
    public bool Verify() => Ed25519.Instance.Verify(_signer.PublicKey, _statement, _signature);
}
