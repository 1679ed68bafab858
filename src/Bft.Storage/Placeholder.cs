namespace Bft.Storage; internal static class Placeholder;
