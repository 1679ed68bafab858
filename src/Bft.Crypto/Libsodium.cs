using System.Reflection;
using System.Runtime.InteropServices;

namespace Bft.Crypto;

/// <summary>Finds libsodium (https://doc.libsodium.org), and holds the one call that NSec does not offer.</summary>
internal static unsafe partial class Libsodium
{
    private const string Library = "libsodium";
    private const DllImportSearchPath SearchPaths = DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory;

    // The plain name finds a copy beside the program, macOS's and a development package's; the others
    // are Debian's and its successors' (1.0.18 and before, 1.0.19 and after).
    private static readonly string[] Names = [Library, "libsodium.so.23", "libsodium.so.26"];

    static Libsodium() => FindFor(typeof(Libsodium).Assembly);

    /// <summary>Not 0 for the canonical encoding of a point of the prime-order subgroup, other than the neutral element.</summary>
    [LibraryImport(Library, EntryPoint = "crypto_core_ed25519_is_valid_point")]
    [DefaultDllImportSearchPaths(SearchPaths)]
    public static partial int IsValidPoint(ReadOnlySpan<byte> point);

    /// <summary>Lets an assembly's calls of libsodium find the system's copy too, not only one that a package laid beside the program.</summary>
    internal static void FindFor(Assembly assembly) =>
        NativeLibrary.SetDllImportResolver(assembly, static (name, caller, paths) => name == Library ? Load(Names, caller, paths) : 0);

    /// <summary>Loads and initialises the first library of these names.</summary>
    /// <exception cref="CryptoLibraryException">There is none.</exception>
    internal static nint Load(string[] names, Assembly assembly, DllImportSearchPath? paths)
    {
        foreach (string name in names)
        {
            if (NativeLibrary.TryLoad(name, assembly, paths, out nint library))
            {
                // Idempotent and safe on many threads, as the resolver is asked once for each function.
                var initialise = (delegate* unmanaged<int>)NativeLibrary.GetExport(library, "sodium_init");
                return initialise() >= 0
                    ? library
                    : throw new CryptoLibraryException($"libsodium was found ({name}) but could not initialise itself.");
            }
        }

        throw new CryptoLibraryException(
            $"libsodium was not found (tried {string.Join(", ", names)}). Install it, on Debian and Ubuntu with: apt-get install libsodium23");
    }
}
