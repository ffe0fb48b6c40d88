package storm

import "golang.org/x/sys/unix"

// lowerPriority lets the relay and those who are in go before what this thread
// starts, always: newcomers would be on other machines and take no processor from
// them. A nice value does not do that: at 10, newcomers who wake up thousands of
// times a second take as much of the processors as a relay that has work to do.
func lowerPriority() error {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}
	_ = unix.SchedSetAttr(0, &attr, 0) // at worst all are equal
	return nil
}
