package relay

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/relay/api"
)

const (
	// commandRate and commandBurst are how many commands a second one person may
	// give at one relay.
	commandRate, commandBurst = 20, 20
	// addressRate is how many may come from one address, whoever they are of: a
	// forged token costs a look at its signature.
	addressRate = 200
	// maxPaced is how many senders are remembered.
	maxPaced = 10_000
)

// pace is how much of their commands people have used up.
type pace struct {
	mu      sync.Mutex
	senders map[string]allowance
}

type allowance struct {
	tokens float64
	at     time.Time
}

func (p *pace) allow(subject string, now time.Time) error {
	return p.take("subject "+subject, commandRate, commandBurst, now)
}

func (p *pace) allowAny(address string, now time.Time) error {
	return p.take("address "+address, addressRate, addressRate, now)
}

func (p *pace) take(sender string, rate, burst float64, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.senders == nil {
		p.senders = make(map[string]allowance)
	}
	a, known := p.senders[sender]
	if !known {
		p.forget(now)
		a = allowance{burst, now}
	}
	a.tokens = min(burst, a.tokens+math.Max(0, now.Sub(a.at).Seconds())*rate)
	a.at = now
	defer func() { p.senders[sender] = a }()
	if a.tokens < 1 {
		return fmt.Errorf("%w: %.0f commands a second", api.ErrTooFast, rate)
	}
	a.tokens--
	return nil
}

// forget drops those whose allowance is whole again, and all if that does not do.
func (p *pace) forget(now time.Time) {
	if len(p.senders) < maxPaced {
		return
	}
	for sender, a := range p.senders {
		if now.Sub(a.at) > 2*time.Second {
			delete(p.senders, sender)
		}
	}
	if len(p.senders) >= maxPaced {
		clear(p.senders)
	}
}
