//go:build unix

package process

import (
	"testing"
	"time"
)

func TestFreeze(t *testing.T) {
	c, err := start(t, "chatty", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Freeze(); err != nil {
		t.Fatal(err)
	}
	if err := c.Command("wake up"); err != nil {
		t.Fatal(err)
	}
	select {
	case line := <-c.Lines():
		t.Errorf("a frozen process says %q", line)
	case <-time.After(50 * time.Millisecond):
	}
	if err := c.Thaw(); err != nil {
		t.Fatal(err)
	}
	if line := <-c.Lines(); line != "you said wake up" {
		t.Errorf("line %q", line)
	}
}
