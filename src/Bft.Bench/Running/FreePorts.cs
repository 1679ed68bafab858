using System.Net;
using System.Net.Sockets;

namespace Bft.Bench.Running;

/// <summary>Ports of 127.0.0.1 that nobody uses now.</summary>
public static class FreePorts
{
    /// <summary>All are held until all are known, so that no two are the same.</summary>
    public static int[] Take(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        try
        {
            Array.ForEach(listeners, listener => listener.Start());
            return [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        finally
        {
            Array.ForEach(listeners, listener => listener.Dispose());
        }
    }
}
