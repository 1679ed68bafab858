using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using Bft.Cluster.Tests.Support;

namespace Bft.Cluster.Tests.Hostile;

/// <summary>What somebody without a key can send to a witness's port.</summary>
[Collection(SharedClusterTests.Name)]
public sealed class ConnectionTests(SharedCluster shared)
{
    private const int GrownMax = 64; // MiB
    private static readonly byte[] Preface = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    private static readonly byte[] EmptySettings = Frame(type: 4, stream: 0, []);

    private ProcessCluster Cluster => shared.Cluster;

    [Fact]
    public Task Random_bytes_end_the_connection() => AttackAsync(async () =>
    {
        for (int i = 0; i < 50; i++)
        {
            await using NetworkStream tcp = await RawClient.DialAsync(Cluster.File.Witnesses[0]);
            await SendAndReadToEndAsync(tcp, RandomNumberGenerator.GetBytes(100_000));
        }
    });

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    public Task Plain_text_ends_the_connection_without_an_answer(string request) => AttackAsync(async () =>
    {
        await using NetworkStream tcp = await RawClient.DialAsync(Cluster.File.Witnesses[0]);
        byte[] answer = await SendAndReadToEndAsync(tcp, Encoding.ASCII.GetBytes(request));
        Assert.DoesNotContain("HTTP/1.1 200", Encoding.ASCII.GetString(answer), StringComparison.Ordinal);
        Assert.InRange(answer.Length, 0, 64); // at most a TLS alert
    });

    [Fact]
    public Task An_older_TLS_is_refused_in_the_handshake() => AttackAsync(async () =>
    {
        Exception refusal = await Assert.ThrowsAnyAsync<Exception>(() => RawClient.DialTlsAsync(Cluster.File.Witnesses[0], SslProtocols.Tls12));
        Assert.True(refusal is AuthenticationException or IOException, $"{refusal}");
    });

    [Fact]
    public Task Garbage_in_TLS_is_a_protocol_error() => AttackAsync(async () =>
    {
        await using SslStream tls = await RawClient.DialTlsAsync(Cluster.File.Witnesses[0]);
        AssertGoAway(await SendAndReadToEndAsync(tls, RandomNumberGenerator.GetBytes(100_000)), 1); // PROTOCOL_ERROR
    });

    [Fact]
    public Task A_frame_above_the_agreed_size_is_refused_by_its_length() => AttackAsync(async () =>
    {
        await using SslStream tls = await RawClient.DialTlsAsync(Cluster.File.Witnesses[0]);
        byte[] head = Frame(type: 0, stream: 1, [])[..9];
        head.AsSpan(0, 3).Fill(0xff); // 16 MiB announced
        AssertGoAway(await SendAndReadToEndAsync(tls, [.. Preface, .. EmptySettings, .. head, .. new byte[100_000]]), 6); // FRAME_SIZE_ERROR
    });

    [Fact]
    public Task Empty_frames_without_end_are_no_way_to_keep_it_busy() => AttackAsync(async () =>
    {
        await using SslStream tls = await RawClient.DialTlsAsync(Cluster.File.Witnesses[0]);
        byte[] pings = [.. Enumerable.Range(0, 1000).SelectMany(_ => Frame(type: 6, stream: 0, new byte[8]))];
        await tls.WriteAsync((byte[])[.. Preface, .. EmptySettings], ProcessCluster.Deadline);
        try
        {
            // Nobody reads the answers: they must not pile up.
            for (int i = 0; i < 1000; i++)
            {
                await tls.WriteAsync(pings, new CancellationTokenSource(TimeSpan.FromSeconds(2)).Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // Pushed back, or cut off.
        }
    });

    [Fact]
    public Task A_message_of_four_GiB_is_refused_by_its_length() => AttackAsync(async () =>
    {
        using RawClient client = new(Cluster, 0);
        byte[] head = [0, 0xff, 0xff, 0xff, 0xff, .. new byte[1000]];
        using HttpResponseMessage answer = await client.PostAsync("/bft.v1.Witness/Info", head);
#if UPSTREAM_PACKAGES
        Assert.Equal("2", await StatusOfAsync(answer)); // UNKNOWN: no length that it can represent
#else
        Assert.Equal("8", await StatusOfAsync(answer)); // RESOURCE_EXHAUSTED
#endif
    });

    [Fact]
    public Task A_message_of_one_GiB_is_refused_by_its_length() => AttackAsync(async () =>
    {
        using RawClient client = new(Cluster, 0);
        byte[] head = [0, 0x40, 0, 0, 0, .. new byte[1000]];
        using HttpResponseMessage answer = await client.PostAsync("/bft.v1.Witness/Info", head);
        Assert.Equal("8", await StatusOfAsync(answer)); // RESOURCE_EXHAUSTED
    });

    [Theory]
    [InlineData("/bft.v1.Witness/NoSuchMethod")]
    [InlineData("/no.such.Service/Info")]
    public Task What_it_does_not_serve_is_unimplemented(string path) => AttackAsync(async () =>
    {
        using RawClient client = new(Cluster, 0);
        using HttpResponseMessage answer = await client.PostAsync(path, new byte[5]);
        Assert.Equal("12", await StatusOfAsync(answer)); // UNIMPLEMENTED
    });

    [Fact]
    public Task Another_content_type_is_unsupported() => AttackAsync(async () =>
    {
        using RawClient client = new(Cluster, 0);
        using HttpResponseMessage answer = await client.PostAsync("/bft.v1.Witness/Info", Encoding.UTF8.GetBytes("{}"), "application/json");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
    });

    [Fact]
    public Task Half_open_connections_take_nobodys_place() => AttackAsync(
        async () =>
        {
            List<NetworkStream> open = [];
            for (int i = 0; i < 200; i++)
            {
                open.Add(await RawClient.DialAsync(Cluster.File.Witnesses[0]));
                await open[^1].WriteAsync(new byte[] { 0x16, 0x03, 0x01 }, ProcessCluster.Deadline); // a TLS record begins, and never ends
            }

            await Cluster.AssertServesAsync(0);
            open.ForEach(connection => connection.Dispose());
        },
        grownMax: 128);

    [Fact]
    public Task Idle_connections_take_nobodys_place() => AttackAsync(
        async () =>
        {
            List<SslStream> open = [];
            for (int i = 0; i < 1000; i++)
            {
                if (await TryDialTlsAsync() is { } connection)
                {
                    open.Add(connection);
                }
            }

            Assert.InRange(open.Count, 100, 1000);
            await Cluster.AssertServesAsync(0);
            foreach (SslStream connection in open)
            {
                await connection.DisposeAsync();
            }
        },
        grownMax: 128);

    private async Task AttackAsync(Func<Task> attack, int grownMax = GrownMax)
    {
        MemoryWatch memory = new(Cluster[0]);
        await attack();
        memory.AssertBounded(grownMax);
        await Cluster.AssertServesAsync(0);
    }

    /// <returns>Null when the witness had no place for it.</returns>
    private async Task<SslStream?> TryDialTlsAsync()
    {
        try
        {
            SslStream tls = await RawClient.DialTlsAsync(Cluster.File.Witnesses[0]);
            await tls.WriteAsync((byte[])[.. Preface, .. EmptySettings], ProcessCluster.Deadline);
            return tls;
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException)
        {
            return null;
        }
    }

    private static byte[] Frame(byte type, int stream, byte[] payload)
    {
        byte[] frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        frame[3] = type;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, 9);
        return frame;
    }

    /// <summary>Sends what it can, and reads until the witness ends the connection; it must.</summary>
    private static async Task<byte[]> SendAndReadToEndAsync(Stream connection, byte[] bytes)
    {
        using MemoryStream answer = new();
        Task reading = connection.CopyToAsync(answer, ProcessCluster.Deadline);
        try
        {
            await connection.WriteAsync(bytes, ProcessCluster.Deadline);
            await reading;
        }
        catch (IOException)
        {
            // The end may come as a reset.
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Assert.False(reading.IsCanceled);
        }

        return answer.ToArray();
    }

    private static void AssertGoAway(byte[] answer, byte code)
    {
        int at = 0;
        while (at + 9 <= answer.Length && answer[at + 3] != 7)
        {
            at += 9 + (BinaryPrimitives.ReadInt32BigEndian(answer.AsSpan(at)) >>> 8);
        }

        Assert.True(at + 17 <= answer.Length, $"No GOAWAY in {Convert.ToHexString(answer)}.");
        Assert.Equal(code, answer[at + 16]);
    }

    private static async Task<string?> StatusOfAsync(HttpResponseMessage answer)
    {
        await answer.Content.ReadAsByteArrayAsync(ProcessCluster.Deadline);
        return (answer.Headers.TryGetValues("grpc-status", out IEnumerable<string>? values) || answer.TrailingHeaders.TryGetValues("grpc-status", out values)) ? values.Single() : null;
    }
}
