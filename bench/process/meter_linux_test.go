package process

import (
	"errors"
	"os"
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	c, err := start(t, "busy", Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(c.PID())
	if err != nil {
		t.Fatal(err)
	}
	first, err := m.Read()
	if err != nil {
		t.Fatal(err)
	}
	var used Usage
	for used.CPU < 30*time.Millisecond || used.User+used.System == 0 { // however slow the machine
		again, err := m.Read()
		if err != nil {
			t.Fatal(err)
		}
		used = again.Sub(first)
	}
	// The kernel's two counts of the same time differ by its ticks.
	if d := used.CPU - used.User - used.System; d > time.Second || d < -time.Second {
		t.Errorf("CPU time %v, of which user %v and system %v", used.CPU, used.User, used.System)
	}
	if first.RSS < 1<<20 || first.RSS > 1<<32 {
		t.Errorf("%d bytes resident", first.RSS)
	}
	_ = c.Stop()
	if _, err := m.Read(); !errors.Is(err, ErrNoProcess) {
		t.Errorf("after its end: %v", err)
	}
	if _, err := Open(c.PID()); !errors.Is(err, ErrNoProcess) {
		t.Errorf("opened after its end: %v", err)
	}
}

func TestMeterTellsProcessesOfOneIDApart(t *testing.T) {
	m, err := Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	m.started-- // as if the id had passed on
	if _, err := m.Read(); !errors.Is(err, ErrNoProcess) {
		t.Errorf("%v", err)
	}
}

func TestAvailableMemory(t *testing.T) {
	if n, err := AvailableMemory(); err != nil || n < 1<<20 {
		t.Errorf("%d, %v", n, err)
	}
}
