package storm

// machines are the processors that each side has to itself: relays, newcomers and
// listeners would be on machines of their own, and whoever shares a processor with a
// relay makes its packets late by whole turns of the scheduler. With one processor
// there is nothing to share out, and all have it.
type machines struct{ relay, others []int }

// shareOut gives the relay half of the processors, the rest to all others.
func shareOut(processors []int) machines {
	half := len(processors) / 2
	if half == 0 {
		return machines{processors, processors}
	}
	return machines{processors[:half], processors[half:]}
}
