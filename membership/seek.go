package membership

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// A relay that is alone asks again after a quarter of a second, then half a
	// second, and so on up to ten.
	seekFirst = 250 * time.Millisecond
	seekAlone = 10 * time.Second

	// A relay in company asks seeds that are no members, and members that
	// vanished, this often: it is how a split network heals. In a network of n
	// relays each waits n/10 times as long, since one that succeeds is enough.
	seekCompany = 10 * time.Second

	// A relay that was let in compares its directory with a seed again after this
	// long, and once more after twice as long: where many relays start at the
	// same moment, the first comparison brings only those that came before, and
	// gossip takes ten seconds to tell of 200.
	seekSettle  = time.Second
	seekSettles = 2

	// seekAtOnce is how many relays are asked in one round.
	seekAtOnce = 4
)

// seekDelay is how long to wait after a round, with so many relays in the
// network, so many rounds alone and so many in company since. Jitter is from 0
// to 1: relays that lost the same network do not come back in step.
func seekDelay(relays, alone, together int, jitter float64) time.Duration {
	d := min(seekFirst<<min(max(alone-1, 0), 10), seekAlone)
	switch {
	case relays > 1 && 0 < together && together <= seekSettles:
		d = seekSettle << (together - 1)
	case relays > 1:
		d = seekCompany * time.Duration(max(10, relays)) / 10
	}
	return time.Duration(float64(d) * (0.5 + jitter))
}

// seekTargets picks whom to ask in one round: seeds before those that vanished,
// each in random order, and nobody who is a member already; except that who was
// just let in (settling) asks one member again, a seed if it can.
func seekTargets(seeds, members, lost []netip.AddrPort, own netip.AddrPort, settling bool, shuffle func([]netip.AddrPort)) []netip.AddrPort {
	var targets []netip.AddrPort
	pick := func(from []netip.AddrPort, atMost int, asMembers bool) {
		from = slices.Clone(from)
		shuffle(from)
		for _, a := range from {
			if len(targets) < atMost && a != own && slices.Contains(members, a) == asMembers && !slices.Contains(targets, a) {
				targets = append(targets, a)
			}
		}
	}
	if settling {
		pick(seeds, 1, true)
		pick(members, 1, true)
	}
	pick(seeds, seekAtOnce-1, false)
	pick(lost, seekAtOnce, false)
	pick(seeds, seekAtOnce, false)
	return targets
}

func shuffled(a []netip.AddrPort) {
	rand.Shuffle(len(a), func(i, j int) { a[i], a[j] = a[j], a[i] })
}

// seek joins the network and, should it be lost, joins it again. It returns why
// ctx ended, or that the name is taken.
func (d *Directory) seek(ctx context.Context) error {
	for alone, together := 0, 0; ; {
		d.seekOnce(ctx, alone+1, together)
		if d.book.size() > 1 {
			alone, together = 0, together+1
		} else {
			alone, together = alone+1, 0
		}
		if err := d.seekPause(ctx, alone, together); err != nil {
			return err
		}
	}
}

// seekPause waits until the next round is due, which is sooner once the others
// have gone, and deals with rivals meanwhile. Whoever has taken over a name is
// let in now where it was refused before.
func (d *Directory) seekPause(ctx context.Context, alone, together int) error {
	start, jitter := time.Now(), rand.Float64()
	for {
		_, next := d.Watch()
		left := seekDelay(d.book.size(), alone, together, jitter) - time.Since(start)
		if left <= 0 {
			return nil
		}
		timer := time.NewTimer(left)
		var err error
		select {
		case <-timer.C:
		case <-next:
		case <-d.rivals.wake:
			var tookOver bool
			if tookOver, err = d.contest(ctx); tookOver && err == nil {
				timer.Stop()
				return nil
			}
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		timer.Stop()
		if err != nil {
			return err
		}
	}
}

// seekOnce asks a few relays at once to let this one in, or what they know.
func (d *Directory) seekOnce(ctx context.Context, round, together int) {
	members, lost := d.book.known()
	targets := seekTargets(d.resolveSeeds(ctx), members, lost, d.addr,
		0 < together && together <= seekSettles, shuffled)
	var asked sync.WaitGroup
	for _, to := range targets {
		asked.Go(func() {
			if _, err := d.gossip.Join([]string{to.String()}); err != nil {
				d.log.Debug("no answer", "gossip", to, "err", err)
			}
		})
	}
	asked.Wait()
	if len(d.cfg.Join) > 0 && d.book.size() == 1 && ctx.Err() == nil {
		d.log.Warn("alone: no relay of --join has answered", "asked", targets, "round", round)
	}
}

// resolveSeeds looks the seeds up anew: behind a name come and go relays.
func (d *Directory) resolveSeeds(ctx context.Context) []netip.AddrPort {
	var (
		mu    sync.Mutex
		found []netip.AddrPort
		tasks sync.WaitGroup
	)
	for _, seed := range d.cfg.Join {
		tasks.Go(func() {
			at, err := resolve(ctx, d.cfg, seed)
			if err != nil && ctx.Err() == nil {
				d.log.Warn("seed not found", "seed", seed, "err", err)
			}
			mu.Lock()
			defer mu.Unlock()
			found = append(found, at...)
		})
	}
	tasks.Wait()
	return found
}
