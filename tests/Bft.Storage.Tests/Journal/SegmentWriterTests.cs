namespace Bft.Storage.Tests;

public sealed class SegmentWriterTests : IDisposable
{
    private const int Block = 256 * 1024;
    private const int SegmentBlocks = 12;

    private readonly TemporaryDirectory _directory = new();
    private readonly byte[] _bytes = [.. Enumerable.Range(0, Block).Select(i => (byte)(i % 251))];

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(SegmentBlocks)]
    [InlineData((2 * SegmentBlocks) + 5)]
    public void What_is_further_behind_than_is_cached_is_forgotten_and_still_there(int cachedBlocks)
    {
        const int Blocks = (5 * SegmentBlocks) + 7;
        const int StepBlocks = 16; // 4 MiB
        CountingDisk disk = new(FileDisk.At(_directory.Root));
        using SegmentWriter writer = new(disk, SegmentBlocks * Block, cachedBlocks * Block);

        for (int i = 0; i < Blocks; i++)
        {
            writer.Write(i / SegmentBlocks, i % SegmentBlocks * Block, [_bytes.AsMemory(0, Block / 2), _bytes.AsMemory(Block / 2)]);
            int behind = i + 1 - (int)(disk.Forgotten.Values.Sum() / Block);
            Assert.InRange(behind, Math.Min(i + 1, cachedBlocks), cachedBlocks + StepBlocks - 1);
        }

        for (int i = 0; i < Blocks; i++)
        {
            using IDiskFile file = disk.Open(SegmentName.Of(i / SegmentBlocks));
            byte[] read = new byte[Block];
            Assert.Equal(Block, file.Read(i % SegmentBlocks * Block, read));
            Assert.Equal(_bytes, read);
        }
    }
}
