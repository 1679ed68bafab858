namespace Bft.Node.Tests.Operations;

public sealed class StatusReportTests
{
    [Fact]
    public void A_file_that_goes_away_after_it_was_listed_counts_nothing()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory();
        FileInfo kept = new(Path.Combine(folder.FullName, "kept"));
        File.WriteAllBytes(kept.FullName, new byte[1000]);

        Assert.Equal(1000, StatusReport.BytesOf([kept, new FileInfo(Path.Combine(folder.FullName, "gone"))]));
        folder.Delete(recursive: true);
    }
}
