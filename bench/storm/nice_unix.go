//go:build unix

package storm

import "syscall"

// lowerPriority lets the relay and those who are in go before what this thread
// starts: newcomers would be on other machines.
func lowerPriority() error {
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 10) // at worst all are equal
	return nil
}
