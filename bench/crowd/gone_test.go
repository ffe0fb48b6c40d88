package crowd

import (
	"context"
	"errors"
	"testing"
)

// Listeners that leave before others have come do not leave the crowd empty: it
// is gone when all of them were there.
func TestGoneOnlyAfterTheLast(t *testing.T) {
	c := &Crowd{o: Options{Listeners: 2}, gone: make(chan struct{}), life: context.Background()}
	first, second := errors.New("first"), errors.New("second")
	c.joined.Add(1)
	c.left(first)
	select {
	case <-c.Gone():
		t.Fatal("gone before the second one came")
	default:
	}
	c.joined.Add(1)
	if c.Present() != 1 {
		t.Errorf("present: %d", c.Present())
	}
	c.left(second)
	<-c.Gone()
	if c.Present() != 0 || !errors.Is(c.Err(), first) {
		t.Errorf("present %d, err %v", c.Present(), c.Err())
	}
}
