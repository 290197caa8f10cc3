// A process that one test starts has, until it is its own program, the files open that another test has just closed: removals would be refused.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
