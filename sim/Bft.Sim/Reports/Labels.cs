namespace Bft.Sim;

/// <summary>Places for words: none lies on another.</summary>
internal sealed class Labels
{
    private const double LineHeight = 10;
    private const double CharacterWidth = 5.6;
    private const int Band = 64;
    private const int LeftMargin = 62; // times stand there

    private readonly Dictionary<int, List<(double Left, double Top, double Right, double Bottom)>> _taken = [];

    /// <summary>Takes the first of the places that is free.</summary>
    /// <param name="text">One line.</param>
    /// <param name="places">Left ends of the baseline, best first.</param>
    /// <param name="place">The free one.</param>
    public bool TryPlace(string text, ReadOnlySpan<(double X, double Y)> places, out (double X, double Y) place)
    {
        foreach ((double x, double y) in places)
        {
            (double Left, double Top, double Right, double Bottom) box = (x, y - LineHeight, x + (text.Length * CharacterWidth), y + 2);
            if (box.Left >= LeftMargin && box.Right <= PictureLayout.Width && IsFree(box))
            {
                Take(box);
                place = (x, y);
                return true;
            }
        }

        place = default;
        return false;
    }

    /// <summary>Something that is no word stands there.</summary>
    public void Block(double x, double y, double halfWidth, double halfHeight) => Take((x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight));

    private static IEnumerable<int> Bands(double top, double bottom)
    {
        for (int band = (int)(top / Band); band <= (int)(bottom / Band); band++)
        {
            yield return band;
        }
    }

    private bool IsFree((double Left, double Top, double Right, double Bottom) box) =>
        Bands(box.Top, box.Bottom).All(band => !_taken.TryGetValue(band, out var taken) || taken.TrueForAll(other =>
            box.Right <= other.Left || other.Right <= box.Left || box.Bottom <= other.Top || other.Bottom <= box.Top));

    private void Take((double Left, double Top, double Right, double Bottom) box)
    {
        foreach (int band in Bands(box.Top, box.Bottom))
        {
            if (!_taken.TryGetValue(band, out var taken))
            {
                _taken[band] = taken = [];
            }

            taken.Add(box);
        }
    }
}
