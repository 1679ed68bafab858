// Clusters, floors and peers share two cores: one at a time, or their deadlines measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
