//go:build !unix

package storm

func lowerPriority() error { return nil }
