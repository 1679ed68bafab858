namespace Bft.Fuzz;

/// <summary>How the program ends.</summary>
internal static class Exit
{
    public const int Ok = 0;
    public const int Found = 1;
    public const int Usage = 2;
}
