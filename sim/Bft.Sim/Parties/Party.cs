using Bft.Storage;

namespace Bft.Sim;

/// <summary>One process of a run, with a disk that outlives it. Its runs are lives; nothing of an earlier life reaches a later one but by the disk.</summary>
internal abstract class Party(SimulatedCluster cluster, int id, string name)
{
    private const long Millisecond = 1_000_000;
    private const long Epoch = 1_750_000_000_000; // the clock at the start of a run, ms since 1970

    protected SimulatedCluster Cluster { get; } = cluster;

    /// <summary>Its index among the run's parties: its lane.</summary>
    public int Id { get; } = id;

    public string Name { get; } = name;

    /// <summary>Whose key it holds: its own index, but for twins.</summary>
    public int Identity { get; init; } = id;

    /// <summary>It does what it likes, from the start.</summary>
    public bool IsByzantine { get; set; }

    public bool IsUp { get; private set; }

    /// <summary>Counts lives; what was scheduled in an earlier one is void.</summary>
    public int Life { get; private set; }

    /// <summary>It never comes back.</summary>
    public bool IsGone { get; set; }

    /// <summary>It starts so much later than the others. Unit: nanoseconds.</summary>
    public long StartDelay { get; set; }

    /// <summary>It does nothing before then.</summary>
    public long PausedUntil { get; set; }

    /// <summary>How far its clock is off. Unit: milliseconds.</summary>
    public long ClockOffset { get; set; }

    public SimulatedDisk Disk { get; set; } = new();

    /// <summary>Its clock. Unit: milliseconds since 1970.</summary>
    public long ClockMs => Epoch + (Cluster.Simulation.Now / Millisecond) + ClockOffset;

    /// <summary>What no jump of the clock moves: hosts time their calls by it. Unit: milliseconds.</summary>
    public long SteadyMs => Cluster.Simulation.Now / Millisecond;

    public void Start()
    {
        if (IsUp || IsGone)
        {
            return;
        }

        IsUp = true;
        Life++;
        PausedUntil = 0;
        Cluster.Simulation.Note(TraceKind.Restart, Id, Life == 1 ? "starts" : "starts again");
        int life = Life;
        Act(life, OnStart);
        if (IsUp && Life == life)
        {
            Cluster.Checks.ForEach(check => check.OnStarted(Id));
            Cluster.Simulation.After((Id + 1) * Millisecond, new Ticking(this, life));
        }
    }

    /// <summary>The process ends at once.</summary>
    /// <param name="isPowerCut">What was not flushed is lost, kept or torn by lot; otherwise the system keeps it.</param>
    /// <param name="lot">Decides.</param>
    /// <param name="why">For the log.</param>
    public void Crash(bool isPowerCut, ref Lot lot, string why)
    {
        if (!IsUp)
        {
            return;
        }

        IsUp = false;
        Life++;
        Disk.Crash(isPowerCut ? UnflushedFate.Mixed : UnflushedFate.Kept, ref lot);
        Cluster.Simulation.Note(TraceKind.Crash, Id, why);
        Cluster.Checks.ForEach(check => check.OnCrashed(Id));
        OnCrash();
        Cluster.Network.CloseAllOf(this);
    }

    /// <summary>Does something as this party, if it still lives the same life, and takes the consequences.</summary>
    public void Act(int life, Action action) => Act(life, action, static (_, act) => act());

    /// <summary>The same without a closure.</summary>
    public void Act<T>(int life, T with, Action<Party, T> action)
    {
        if (!IsUp || Life != life)
        {
            return;
        }

        try
        {
            action(this, with);
        }
        catch (PowerCutException)
        {
            Cluster.Faults.OnPowerCut(this);
        }
        catch (Exception refused) when (refused is DiskException or JournalPoisonedException)
        {
            Cluster.Faults.OnStopped(this, refused.Message);
        }
        catch (Exception damaged) when (damaged is JournalDamageException or JournalMismatchException or ForeignJournalException or StoreDamageException)
        {
            Cluster.Faults.OnDamaged(this, damaged.Message);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            Cluster.OnThrown(this, fault);
        }
    }

    /// <summary>Later in this life.</summary>
    /// <param name="delay">Unit: nanoseconds.</param>
    /// <param name="action">What.</param>
    public void After(long delay, Action action) => Cluster.Simulation.After(delay, new Later(this, Life, action));

    public virtual void OnAccepted(Connection connection)
    {
    }

    public virtual void OnOpened(Connection connection)
    {
    }

    public virtual void OnClosed(Connection connection)
    {
    }

    public abstract void OnMessage(Connection connection, byte[] bytes);

    /// <summary>A client took bytes: there is room for more.</summary>
    public virtual void OnDrained(Connection connection)
    {
    }

    protected abstract void OnStart();

    protected abstract void OnTick();

    protected virtual void OnCrash()
    {
    }

    /// <summary>Something of one life, which waits while the party is paused.</summary>
    private abstract class OfLife(Party party, int life) : Happening
    {
        public override void Happen()
        {
            Simulation simulation = party.Cluster.Simulation;
            if (party.PausedUntil > simulation.Now && party.Life == life)
            {
                simulation.After(party.PausedUntil - simulation.Now, this);
                return;
            }

            party.Act(life, this, static (party, it) => it.Act(party));
        }

        protected abstract void Act(Party party);
    }

    private sealed class Later(Party party, int life, Action action) : OfLife(party, life)
    {
        protected override void Act(Party party) => action();
    }

    /// <summary>All ticks of one life.</summary>
    private sealed class Ticking(Party party, int life) : OfLife(party, life)
    {
        protected override void Act(Party party)
        {
            int before = party.Life;
            party.Cluster.Faults.OnTick(party);
            if (party.Life == before && party.IsUp)
            {
                party.OnTick();
            }

            party.Cluster.Simulation.After(party.Cluster.Plan.TickMilliseconds * Millisecond, this);
        }
    }
}
