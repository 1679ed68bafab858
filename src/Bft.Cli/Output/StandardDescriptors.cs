using System.Runtime.InteropServices;

namespace Bft.Cli.Output;

/// <summary>Standard input, output and error that the caller closed (`&lt;&amp;-`).</summary>
/// <remarks>
/// The runtime opens files of its own under numbers that are free, so descriptor 0 or 1 may be something else by now: reading it could hang, and
/// writing to it do harm. What came through exec has no close-on-exec flag, what the runtime opened has.
/// </remarks>
internal static partial class StandardDescriptors
{
    private const int GetFlags = 1;
    private const int CloseOnExec = 1;

    public static bool HasInput { get; } = IsInherited(0);

    public static bool HasOutput { get; } = IsInherited(1);

    private static bool HasError { get; } = IsInherited(2);

    /// <summary>Standard input; empty when the caller closed it.</summary>
    public static Stream OpenInput() => HasInput ? Console.OpenStandardInput() : Stream.Null;

    /// <summary>What is said to nobody is said to nothing.</summary>
    public static void SilenceThoseClosed()
    {
        if (!HasOutput)
        {
            Console.SetOut(TextWriter.Null);
        }

        if (!HasError)
        {
            Console.SetError(TextWriter.Null);
        }
    }

    private static bool IsInherited(int descriptor) => Control(descriptor, GetFlags) is var flags and >= 0 && (flags & CloseOnExec) == 0;

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command);
}
