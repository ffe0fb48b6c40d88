// Package tally keeps what arrived at many listeners, and how long it took, and
// says afterwards how many groups were lost and how the delays spread. It keeps
// every single delay, so its percentiles are exact. It starts no goroutine, opens
// no socket and reads no clock.
package tally
