using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>What a failure below gRPC means for the call.</summary>
internal static class TransportStatus
{
    public static Status Of(Exception failure)
    {
        for (Exception? e = failure; e is not null; e = e.InnerException)
        {
            if (e is HttpProtocolException reset)
            {
                return new Status(OfHttp2((Http2Code)reset.ErrorCode), $"The server ended the HTTP/2 stream or connection with error 0x{reset.ErrorCode:X}.", failure);
            }
        }

        // A cancellation that is not the call's own is a time-out of the handler, such as the one for connecting.
        return failure is HttpRequestException or IOException or OperationCanceledException or ObjectDisposedException
            ? new Status(StatusCode.Unavailable, $"The server could not be reached or the connection was lost: {failure.GetBaseException().Message}", failure)
            : new Status(StatusCode.Internal, $"The call failed in the client: {failure.Message}", failure);
    }

    /// <summary>The table of the gRPC specification. Without an error a connection merely goes away, so the call may be tried again.</summary>
    private static StatusCode OfHttp2(Http2Code code) => code switch
    {
        Http2Code.NoError or Http2Code.RefusedStream => StatusCode.Unavailable,
        Http2Code.StreamClosed => StatusCode.Unknown,
        Http2Code.Cancel => StatusCode.Cancelled,
        Http2Code.EnhanceYourCalm => StatusCode.ResourceExhausted,
        Http2Code.InadequateSecurity => StatusCode.PermissionDenied,
        _ => StatusCode.Internal,
    };

    /// <summary>RFC 9113, section 7.</summary>
    private enum Http2Code : long
    {
        NoError = 0,
        StreamClosed = 5,
        RefusedStream = 7,
        Cancel = 8,
        EnhanceYourCalm = 11,
        InadequateSecurity = 12,
    }
}
