package storm

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ourProcessors are those that this process may use.
func ourProcessors() (processors []int) {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return nil
	}
	for i := range len(set) * 64 {
		if set.IsSet(i) {
			processors = append(processors, i)
		}
	}
	return processors
}

// stayOn has the calling thread, and what it starts, use only these processors.
func stayOn(processors []int) error { return allow(0, processors) }

// allStayOn has the whole process use only these processors.
func allStayOn(processors []int) error {
	for range 2 { // those that were started meanwhile by one that was not asked yet
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, thread := range threads {
			if id, err := strconv.Atoi(thread.Name()); err == nil {
				_ = allow(id, processors) // it may have ended
			}
		}
	}
	return nil
}

func allow(thread int, processors []int) error {
	if len(processors) == 0 {
		return nil // it is not known which there are
	}
	var set unix.CPUSet
	for _, p := range processors {
		set.Set(p)
	}
	return unix.SchedSetaffinity(thread, &set)
}

// lowerPriority lets those who are in go before what this thread starts, always:
// newcomers would take no processor from them. A nice value does not do that: at 10,
// newcomers who wake up thousands of times a second take as much as a process
// that has work to do.
func lowerPriority() error {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}
	_ = unix.SchedSetAttr(0, &attr, 0) // at worst all are equal
	return nil
}
