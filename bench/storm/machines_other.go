//go:build !linux

package storm

func ourProcessors() []int  { return nil }
func stayOn([]int) error    { return nil }
func allStayOn([]int) error { return nil }
func lowerPriority() error  { return nil }
