using Bft.Protocol.Model;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Reads one publisher's call: each frame waits for its turn, is looked at, and what it comes to goes to the core.</summary>
internal sealed class PublishCall(Session session, ClusterId cluster, PublisherGate gate, PublishIntake intake, CoreMailbox core, Outbox<IPublishReply> outbox)
{
    private readonly Queue<Asked> _waiting = new(); // bound: PublisherGate.MayAskAhead
    private PublisherGate.Admission? _last;
    private long _waitingBytes;

    /// <exception cref="RpcException">The client sent what no client should send.</exception>
    public async Task ReadAllAsync(IAsyncStreamReader<IPublishRequest> requests, CancellationToken cancellationToken)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<Asked?>? reading = null;
        bool isRead = false;
        try
        {
            while (true)
            {
                if (reading is null && !isRead && (_waiting.Count == 0 || gate.MayAskAhead(_waitingBytes)))
                {
                    reading = ReadAsync(requests, over.Token);
                }

                if (_waiting.TryPeek(out Asked first))
                {
                    Task given = first.Turn.Given;
                    await (reading is null ? given.WaitAsync(over.Token) : Task.WhenAny(given, reading));
                    if (given.IsCompleted)
                    {
                        _waiting.Dequeue();
                        _waitingBytes -= first.Turn.Cost.Bytes;
                        Take(first);
                        continue;
                    }
                }

                if (reading is null)
                {
                    return;
                }

                if (await reading is { } next)
                {
                    _waiting.Enqueue(next);
                    _waitingBytes += next.Turn.Cost.Bytes;
                }
                else
                {
                    isRead = true;
                }

                reading = null;
            }
        }
        finally
        {
            await over.CancelAsync();
            await DropAsync(reading);
        }
    }

    /// <returns>Null at the end.</returns>
    private async Task<Asked?> ReadAsync(IAsyncStreamReader<IPublishRequest> requests, CancellationToken cancellationToken)
    {
        if (!await requests.MoveNext(cancellationToken))
        {
            return null;
        }

        IPublishRequest frame = requests.Current;
        _last = await gate.AskAsync(session.Client, PublishCost.Of(frame, cluster), _last, cancellationToken);
        return new Asked(frame, _last);
    }

    private void Take(Asked asked)
    {
        PublisherGate.Admission? admission = asked.Turn;
        try
        {
            Intake taken = intake.Take(asked.Frame);
            if (taken.Fault is { } fault)
            {
                throw new RpcException(new Status(StatusCode.InvalidArgument, fault));
            }

            if (taken.Reply is { } reply)
            {
                outbox.Post(reply, taken.ReplyBytes);
            }

            if (taken.Offence is { } offence)
            {
                session.Offend(Offence.Hostile, offence);
            }

            if (taken.Input is { } input)
            {
                (input.Grant, admission) = (admission, null);
                core.Post(input);
            }
        }
        finally
        {
            admission?.Dispose();
        }
    }

    /// <summary>What was asked for and is not wanted any more.</summary>
    private async Task DropAsync(Task<Asked?>? reading)
    {
        while (_waiting.TryDequeue(out Asked asked))
        {
            asked.Turn.Dispose();
        }

        if (reading is not null)
        {
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (reading is { IsCompletedSuccessfully: true, Result: { } late })
            {
                late.Turn.Dispose();
            }
        }
    }

    private readonly record struct Asked(IPublishRequest Frame, PublisherGate.Admission Turn);
}
