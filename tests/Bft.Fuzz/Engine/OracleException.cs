namespace Bft.Fuzz;

/// <summary>A decoder did not throw, and what it said is wrong.</summary>
internal sealed class OracleException(string message) : Exception(message)
{
    /// <exception cref="OracleException">It does not hold.</exception>
    public static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new OracleException(message);
        }
    }

    /// <summary>One meaning has one encoding.</summary>
    /// <exception cref="OracleException">The bytes differ.</exception>
    public static void RequireSame(ReadOnlySpan<byte> input, ReadOnlySpan<byte> encodedAgain, string what)
    {
        if (!input.SequenceEqual(encodedAgain))
        {
            throw new OracleException($"{what} was taken and is encoded otherwise, from byte {input.CommonPrefixLength(encodedAgain)} on: {Convert.ToHexStringLower(encodedAgain[..Math.Min(64, encodedAgain.Length)])}…");
        }
    }
}
