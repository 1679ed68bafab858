using System.Buffers.Binary;

namespace Bft.Fuzz.Tests;

/// <summary>A finder that finds nothing proves nothing: each kind of mistake, made on purpose, is found within a second or two.</summary>
public sealed class FinderTests
{
    [Fact]
    public void A_missing_check_of_a_length_is_found() =>
        Found("exception", input => input.Length < 4 ? [] : input.AsSpan(4, BinaryPrimitives.ReadUInt16LittleEndian(input)).ToArray());

    [Fact]
    public void A_bound_that_is_off_by_one_is_found() =>
        Found("exception", input => input.Length >= 6 && BinaryPrimitives.ReadUInt16LittleEndian(input) <= input.Length - 3 ? input.AsSpan(4, BinaryPrimitives.ReadUInt16LittleEndian(input)).ToArray() : []);

    [Fact]
    public void An_allocation_of_what_is_declared_is_found() =>
        Found("allocation", input => input.Length < 4 ? [] : new byte[BinaryPrimitives.ReadUInt32LittleEndian(input) % (1 << 20)].AsSpan(0, 0).ToArray());

    [Fact]
    public void An_answer_that_changes_is_found()
    {
        int asked = 0;
        Found("unstable", input => new byte[input.Length > 5 ? asked++ % 2 : 0]);
    }

    [Fact]
    public void A_second_encoding_is_found() =>
        Found("oracle", input => input, (input, decoded) => OracleException.RequireSame(input.Length > 6 ? input.AsSpan(1) : input, decoded, "It"));

    [Fact]
    public void Processor_time_beyond_the_bound_is_found() =>
        Found("time", input =>
        {
            for (TimeSpan begun = ThreadTime.Now; input.Length > 6 && ThreadTime.Now - begun < TimeSpan.FromMilliseconds(80);)
            {
            }

            return [];
        });

    private static void Found(string kind, Func<byte[], byte[]> decode, Action<byte[], byte[]>? judge = null)
    {
        string folder = Directory.CreateTempSubdirectory("bft-fuzz-").FullName;
        Finding? finding;
        using (LastInput last = new(Path.Combine(folder, "last"), 1 << 16, TimeSpan.FromMinutes(5)))
        {
            Campaign campaign = new(new Planted(decode, judge), seed: 1, last);
            finding = campaign.Begin([[1, 0, 0, 0, 9]]) ?? campaign.Run(TimeSpan.FromSeconds(60), CancellationToken.None);
        }

        Directory.Delete(folder, recursive: true);
        Assert.Equal(kind, finding?.Kind);
    }

    private sealed class Planted(Func<byte[], byte[]> decode, Action<byte[], byte[]>? judge) : Target<byte[]>("planted")
    {
        public override IEnumerable<Seed> Seeds() => [];

        protected override byte[] Decode(byte[] input) => decode(input);

        protected override Outcome Judge(byte[] input, byte[] decoded)
        {
            judge?.Invoke(input, decoded);
            return Outcome.Accepted.Sized(decoded.Length);
        }
    }
}
