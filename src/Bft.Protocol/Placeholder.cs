namespace Bft.Protocol; internal static class Placeholder;
