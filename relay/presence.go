package relay

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/membership"
)

const (
	// silentFor is how long nothing may come from a relay until it counts as gone:
	// four keep-alives of a link and a round trip. Gossip needs seconds more to be
	// as sure as it has to be; all that is decided here is where clients are sent.
	silentFor = time.Second
	// hushFor is how long nothing may come from all relays that this one takes a
	// room from until it looks for others: two keep-alives. One of them being quiet
	// proves little, and costs nobody anything.
	hushFor = 500 * time.Millisecond
	// presenceEvery is how often it is looked.
	presenceEvery = 100 * time.Millisecond
	// awayFor is how late a look may be before it proves that this relay itself has
	// stood still, and nothing about the others.
	awayFor = 300 * time.Millisecond
	// maxWatched bounds the sessions that are kept only to watch who is there.
	maxWatched = 64
	// watchRetry is how long a relay that cannot be reached is left alone.
	watchRetry = time.Second
)

// presence knows which of the relays that clients are sent to are there.
type presence struct {
	relay *Relay
	// version changes with the directory and with who is silent: with whatever a
	// list of relays is made of.
	version *watched[uint64]
	// heeded changes with the directory and with who is quiet.
	heeded *watched[uint64]

	mu      sync.Mutex
	wanted  map[string]struct{} // relays that clients have been sent to, or rooms are taken from
	hearing hearing
	silent  []string // in order
	quiet   []string // in order
	dialled map[string]time.Time
}

func newPresence(r *Relay) *presence {
	return &presence{
		relay:   r,
		version: newWatched(uint64(0)),
		heeded:  newWatched(uint64(0)),
		wanted:  make(map[string]struct{}),
		hearing: hearing{relays: make(map[string]heard)},
		dialled: make(map[string]time.Time),
	}
}

// watch keeps an ear on relays that clients are sent to.
func (p *presence) watch(relays []membership.Relay) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range relays {
		if r.Name != p.relay.cfg.Name && len(p.wanted) < maxWatched {
			p.wanted[r.Name] = struct{}{}
		}
	}
}

// heed keeps an ear on relays that a room is taken from, and returns which of them
// are quiet.
func (p *presence) heed(relays []string) (quiet []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range relays {
		if name != p.relay.cfg.Name && len(p.wanted) < maxWatched {
			p.wanted[name] = struct{}{}
		}
		if slices.Contains(p.quiet, name) {
			quiet = append(quiet, name)
		}
	}
	return quiet
}

// gone are the relays that have fallen silent, in order.
func (p *presence) gone() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.silent
}

// run looks who is there until ctx ends.
func (p *presence) run(ctx context.Context) {
	tick := time.NewTicker(presenceEvery)
	defer tick.Stop()
	var dialling sync.WaitGroup
	defer dialling.Wait()
	directory := p.relay.mesh.directory
	relays, changed := directory.Watch()
	for {
		select {
		case <-changed:
			relays, changed = directory.Watch()
			p.bump()
		case <-tick.C:
			unreached, news := p.look(time.Now(), relays)
			if news {
				p.bump()
			}
			for _, name := range unreached {
				dialling.Go(func() {
					_, _ = p.relay.mesh.links.Session(ctx, name) // if not, it stays silent
				})
			}
		case <-ctx.Done():
			return
		}
	}
}

func (p *presence) bump() {
	next := func(v uint64) (uint64, bool) { return v + 1, true }
	p.version.Swap(next)
	p.heeded.Swap(next)
}

// look listens to the relays that are wanted and in the directory. It returns
// those that have to be dialled, and whether who is silent has changed.
func (p *presence) look(now time.Time, relays []membership.Relay) (unreached []string, news bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sounds := make(map[string]sound, len(p.wanted))
	for name := range p.wanted {
		if _, ok := membership.Find(relays, name); !ok {
			delete(p.wanted, name)
			delete(p.dialled, name)
			continue
		}
		s := p.relay.mesh.links.Live(name)
		if s == nil {
			sounds[name] = sound{}
			if now.Sub(p.dialled[name]) > watchRetry {
				p.dialled[name] = now
				unreached = append(unreached, name)
			}
			continue
		}
		sounds[name] = sound{from: s, packets: s.Conn().Stats().PacketsReceived}
	}
	silent := p.hearing.look(now, sounds)
	if quiet := p.hearing.quiet; !slices.Equal(quiet, p.quiet) {
		p.quiet = quiet
		p.heeded.Swap(func(v uint64) (uint64, bool) { return v + 1, true })
	}
	if slices.Equal(silent, p.silent) {
		return unreached, false
	}
	p.relay.log.Info("relays that are silent", "relays", silent)
	p.silent = silent
	return unreached, true
}

// A sound is what was heard of a relay: so many packets over that session, or
// nothing.
type sound struct {
	from    any
	packets uint64
}

// heard is when a relay was last heard of, and how that sounded.
type heard struct {
	sound
	at time.Time
}

// hearing tells who is silent from what was heard. It is plain data.
type hearing struct {
	relays map[string]heard
	at     time.Time // of the last look
	quiet  []string  // by then, in order
}

// look takes what is heard of each relay now and returns who has been silent for
// too long, in order.
func (h *hearing) look(now time.Time, sounds map[string]sound) (silent []string) {
	before := h.at
	away := now.Sub(before) > presenceEvery+awayFor
	h.at = now
	for name := range h.relays {
		if _, ok := sounds[name]; !ok {
			delete(h.relays, name)
		}
	}
	h.quiet = nil
	for name, s := range sounds {
		was, known := h.relays[name]
		if !known || s != was.sound && s.from != nil || away && before.Sub(was.at) <= silentFor {
			was.at = now
		}
		h.relays[name] = heard{sound: s, at: was.at}
		if now.Sub(was.at) > hushFor {
			h.quiet = append(h.quiet, name)
		}
		if now.Sub(was.at) > silentFor {
			silent = append(silent, name)
		}
	}
	slices.Sort(h.quiet)
	slices.Sort(silent)
	return silent
}
