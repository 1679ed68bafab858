using Microsoft.Extensions.DependencyInjection;

namespace Grpc.AspNetCore.Server;

/// <summary>Options of every gRPC service of a host.</summary>
/// <remarks>
/// Connections, streams per connection, keep-alive pings (off by default) and the windows in which a client may send ahead (per stream
/// 768 KiB, per connection 1 MiB) are Kestrel's: <c>KestrelServerLimits.Http2</c>. So is the minimum rate of a response, which a host with
/// slow subscribers turns off: <c>KestrelServerLimits.MinResponseDataRate</c>. The minimum rate and the size limit of request bodies are
/// turned off here per call, since streams last; the limit of one message stays.
/// </remarks>
public class GrpcServiceOptions
{
    /// <summary>Largest request message in bytes; 4 MiB by default, null means no limit.</summary>
    public int? MaxReceiveMessageSize { get; set; } = 4 * 1024 * 1024;

    /// <summary>Largest response message in bytes; null, the default, means no limit.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>Whether clients see the message of an exception that a handler threw; false by default.</summary>
    public bool? EnableDetailedErrors { get; set; }

    /// <summary>Whether an unknown service is left to other endpoints instead of being answered with UNIMPLEMENTED; false by default.</summary>
    public bool? IgnoreUnknownServices { get; set; }
}

/// <summary>Configures the gRPC services of a host.</summary>
public interface IGrpcServerBuilder
{
    IServiceCollection Services { get; }
}
