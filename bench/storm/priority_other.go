//go:build !linux

package storm

func lowerPriority() error { return nil }
