using Bft.Wire.V1;
using Google.Protobuf.Reflection;

namespace Bft.Wire.Services;

/// <summary>The contract's files, as servers show them by reflection.</summary>
public static class Contracts
{
    /// <summary>proto/bft/v1: types, witness, peer.</summary>
    public static IReadOnlyList<FileDescriptor> Files { get; } = [TypesReflection.Descriptor, WitnessReflection.Descriptor, PeerReflection.Descriptor];
}
