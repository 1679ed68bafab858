using System.Security.Cryptography;
using System.Threading.Channels;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Client;

/// <summary>One thing that happened to a publisher, for its driver to decide about.</summary>
internal delegate void PublisherInput(PublisherDriver driver);

/// <summary>Owns a publisher's driver: one task feeds it and does what it decides. Everything else talks to it through a bounded channel.</summary>
internal sealed class PublisherLoop : IPublisherOutputs
{
    private const int InputsMax = 1024;

    /// <summary>Largest commit that the loop performs itself when nothing waits. Unit: bytes.</summary>
    private const long OwnCommitBytesMax = 64 * 1024;

    private const int TickMs = 20;

    /// <summary>Where more publishers run in the process, each looks less often, for several ticks at once: what a thousand cost that have nothing to do is changing between them.</summary>
    private const int PublishersPerTick = 64;

    private const int TicksAtOnceMax = 10;

    private static readonly PublisherInput[] OnTicks = [.. Enumerable.Range(0, TicksAtOnceMax + 1).Select(Ticks)];

    private static int s_running; // publishers of the process

    private readonly Committee _committee;
    private readonly Topic _topic;
    private readonly BatchFiller _filler;
    private readonly Action<ClientNotice> _notify;
    private readonly Channel<PublisherInput> _inputs = Channel.CreateBounded<PublisherInput>(new BoundedChannelOptions(InputsMax) { SingleReader = true });
    private readonly PublisherDriver _driver;
    private readonly Predicate<int> _fits;
    private readonly PublisherInput _onWoken;
    private PublishException? _end;
    private (JournalCommit Commit, Task Done)? _flushing;
    private int _isWoken;

    public PublisherLoop(
        Committee committee, ISigner signer, Topic topic, BatchFiller filler, PublisherJournal? journal, Action<ClientNotice> notify)
    {
        _committee = committee;
        _topic = topic;
        _filler = filler;
        _notify = notify;
        _onWoken = _ => Volatile.Write(ref _isWoken, 0);
        _driver = new PublisherDriver(
            committee, topic, signer, Ed25519.Instance, Protocol.Publishing.PublisherOptions.Default, journal, () => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)), Now(), this);
        _fits = length => _driver.WhyMustWait(length) is null;
    }

    /// <summary>One per witness, in the order of their index. Set before the loop runs.</summary>
    public IReadOnlyList<PublisherLink> Links { get; set; } = [];

    /// <summary>The stream that batches go to now; null before there is one.</summary>
    public StreamHeader? Header => _driver.Header;

    /// <inheritdoc cref="PublisherDriver.RepliesOf"/>
    public PublishReplies RepliesOf(WitnessIndex witness) => _driver.RepliesOf(witness);

    /// <summary>Runs until cancelled, or the stream ends for good; then everything that is not certified fails.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Exception end = new PublisherClosedException(_topic);
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task ticking = TickAsync(ended.Token);
        try
        {
            while (_end is null && await _inputs.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                for (int i = 0; i < InputsMax && _inputs.Reader.TryRead(out PublisherInput? input); i++)
                {
                    input(_driver);
                }

                Fill();
                Seal();
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
        catch (Exception cause) when (cause is DiskException or JournalPoisonedException)
        {
            end = new PublisherJournalException(_topic, cause);
        }
        catch (Exception reason)
        {
            // Whoever waits for something, or sends, is told.
            end = reason;
        }
        finally
        {
            end = _end ?? end;
            _inputs.Writer.TryComplete();
            _filler.Close(end);
            foreach (object? ticket in _driver.End())
            {
                ((PendingBatch?)ticket)?.Fail(end);
            }

            await ended.CancelAsync().ConfigureAwait(false);
            await ticking.ConfigureAwait(false);
            await CloseAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Waits while the loop has more to do than it may queue: that slows one witness's reader, and nobody else.</summary>
    public async ValueTask PostAsync(PublisherInput input, CancellationToken cancellationToken)
    {
        try
        {
            await _inputs.Writer.WriteAsync(input, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            // The publisher has ended: nothing matters any more.
        }
    }

    /// <summary>There is something to take from the filler.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _isWoken, 1) == 0 && !_inputs.Writer.TryWrite(_onWoken))
        {
            // The channel is full, so the loop is about to look anyway.
            Volatile.Write(ref _isWoken, 0);
        }
    }

    void IPublisherOutputs.Send(WitnessIndex to, IPublishRequest frame) => Links[to.Value].Queue.Add(frame);

    void IPublisherOutputs.Send(WitnessIndex to, BatchFrame batch, Slot slot) => Links[to.Value].Queue.Add(batch, slot, _driver.IsCovered);

    void IPublisherOutputs.Covered(CoveredBatch covered, ArraySegment<VerifiedStatement> upToCertificate, object? ticket)
    {
        PendingBatch? pending = (PendingBatch?)ticket;
        bool isBodyKept = pending is { IsBodyKept: true };
        pending?.Complete(new CertifiedBatch(covered.Batch, isBodyKept, covered.Certificate, upToCertificate, _committee.Limits));
        if (!isBodyKept)
        {
            covered.Batch.BodyOwner!.Dispose();
        }
    }

    void IPublisherOutputs.Asking(int answers, int needed) => _notify(new WitnessesAsked(_topic, answers, needed));

    void IPublisherOutputs.Opened(StreamHeader stream, string why) => _notify(new IncarnationOpened(_topic, stream.Incarnation, why));

    void IPublisherOutputs.Misbehaved(WitnessIndex witness, string what)
    {
        // The link that read it has said so, and ends.
    }

    void IPublisherOutputs.Ended(PublishException reason) => _end = reason;

    private static long Now() => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    private async Task TickAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref s_running);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(TickMs));
        try
        {
            int ticks = 1;
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                await PostAsync(OnTicks[ticks], cancellationToken).ConfigureAwait(false);
                int wanted = Math.Clamp(Volatile.Read(ref s_running) / PublishersPerTick, 1, TicksAtOnceMax);
                if (wanted != ticks)
                {
                    ticks = wanted;
                    timer.Period = TimeSpan.FromMilliseconds(ticks * TickMs);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
        finally
        {
            Interlocked.Decrement(ref s_running);
        }
    }

    private static PublisherInput Ticks(int count) => driver =>
    {
        for (int i = 0; i < count; i++)
        {
            driver.OnTick(Now());
        }
    };

    /// <summary>Seals batches: at once while few are in flight, later ones when they are full (P4 is the end of it).</summary>
    private void Fill()
    {
        while (_filler.TryTake(_driver.InFlight < _filler.PipelineDepth, _fits, out FilledBatch filled))
        {
            _driver.Submit(filled.Builder, filled.Pending);
            _filler.GiveBack(filled.Builder);
        }
    }

    private void Seal()
    {
        if (_flushing is not null || _driver.Seal() is not { } commit)
        {
            return;
        }

        // A small commit with nothing behind it gathers nothing: changing threads would cost more than its flush.
        if (commit.Bytes <= OwnCommitBytesMax && !_inputs.Reader.TryPeek(out _))
        {
            commit.Perform();
            _driver.OnCommitted(commit);
        }
        else
        {
            _flushing = Flush(commit);
        }
    }

    /// <summary>On another thread: batches fill while the disk works.</summary>
    private (JournalCommit Commit, Task Done) Flush(JournalCommit commit) => (commit, Task.Run(() => PerformAsync(commit)));

    private async Task PerformAsync(JournalCommit commit)
    {
        Exception? failure = null;
        try
        {
            commit.Perform();
        }
        catch (Exception cause) when (cause is DiskException or JournalPoisonedException)
        {
            failure = cause;
        }

        await PostAsync(driver => OnFlushed(commit, failure, driver), CancellationToken.None).ConfigureAwait(false);
    }

    private void OnFlushed(JournalCommit commit, Exception? failure, PublisherDriver driver)
    {
        if (failure is not null)
        {
            throw new PublisherJournalException(_topic, failure);
        }

        _flushing = null;
        driver.OnCommitted(commit);
    }

    private async Task CloseAsync()
    {
        try
        {
            if (_flushing is { } under)
            {
                await under.Done.ConfigureAwait(false);
                _driver.OnCommitted(under.Commit);
            }

            _driver.CloseJournal();
        }
        catch (Exception cause) when (cause is DiskException or JournalPoisonedException or InvalidOperationException)
        {
            // As after a crash: what left was durable before it left.
            _notify(new JournalTrouble(_topic, $"The journal could not be closed: {cause.Message}"));
        }
    }
}
