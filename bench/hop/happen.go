package hop

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// strikeRelays strikes the relays of a role, takes each back after its outage,
// and lets the network rest.
func (r *run) strikeRelays(ctx context.Context, o Outcome, tree Tree) (Outcome, error) {
	blows, ok := tree.Blows(o.Role)
	if !ok {
		o.Skipped = fmt.Sprintf("none of the %d relays in the room is its %s", len(tree.Nodes), o.Role)
		return o, nil
	}
	victims := make([]*relay, len(blows))
	names := make([]string, len(blows))
	for i, b := range blows {
		names[i] = b.Relay
		if victims[i] = r.named(b.Relay); victims[i] == nil {
			return o, fmt.Errorf("the tree has a relay that nobody started: %q", b.Relay)
		}
	}
	o.Victim, o.Listen = strings.Join(names, "+"), tree.listeners(names)
	outages := make(chan error, len(blows)) // side by side: a drain takes its time
	for i, b := range blows {
		go func() { outages <- r.outage(ctx, victims[i], o.Cause, b.After) }()
	}
	var failed error
	for range blows {
		failed = errors.Join(failed, <-outages)
	}
	if ctx.Err() != nil {
		return o, context.Cause(ctx)
	}
	if failed != nil {
		return o, failed
	}
	return r.rest(ctx, o)
}

// outage strikes one relay after a time, and takes it back.
func (r *run) outage(ctx context.Context, victim *relay, cause Cause, after time.Duration) error {
	if err := wait(ctx, after); err != nil {
		return err
	}
	from := time.Now()
	if err := victim.strike(ctx, cause, r.o.Outage); err != nil {
		return err
	}
	if err := wait(ctx, time.Until(from.Add(r.o.Outage))); err != nil {
		return err
	}
	return victim.restore(ctx, cause)
}

// rest lets the network rest and says who is then not back.
func (r *run) rest(ctx context.Context, o Outcome) (Outcome, error) {
	if err := wait(ctx, r.o.Rest); err != nil {
		return o, err
	}
	if err := until(ctx, joinWithin, func() error { return r.together(ctx) }); err != nil {
		o.Late = err.Error()
	}
	return o, nil
}

// restartAll updates the network as its operator would: SIGTERM lets a relay move
// its sessions and end; when it is started again and all know it to be ready, it
// is the next one's turn.
func (r *run) restartAll(ctx context.Context, o Outcome, tree Tree) (Outcome, error) {
	from := time.Now()
	o.Victim, o.Listen = fmt.Sprintf("%d relays", len(r.relays)), tree.listeners(tree.names())
	for i, relay := range r.relays {
		r.o.Progress("restarts", i, len(r.relays))
		if err := relay.leave(ctx); err != nil {
			return o, err
		}
		if err := relay.start(ctx); err != nil {
			return o, err
		}
		if err := until(ctx, joinWithin, func() error { return r.together(ctx) }); err != nil {
			return o, err
		}
	}
	o.ReadyMS = time.Since(from).Milliseconds()
	return r.rest(ctx, o)
}

// joinOne starts one more relay, and finds out when another knows it to be ready.
func (r *run) joinOne(ctx context.Context, o Outcome) (Outcome, error) {
	var err error
	if r.newcomer == nil {
		seeds := make([]string, 0, 3)
		for _, relay := range r.relays[:min(len(r.relays), cap(seeds))] {
			seeds = append(seeds, relay.gossip)
		}
		if r.newcomer, err = newRelay(r.site, r.o, len(r.relays), r.dir, seeds); err != nil {
			return o, err
		}
	}
	o.Victim = r.newcomer.name
	from := time.Now()
	if err := r.newcomer.start(ctx); err != nil {
		return o, err
	}
	err = until(ctx, joinWithin, func() error {
		known, err := r.relays[0].members(ctx)
		if err == nil && len(known) <= len(r.relays) {
			err = fmt.Errorf("%s knows %d relays of %d", r.relays[0].name, len(known), len(r.relays)+1)
		}
		return err
	})
	if ctx.Err() != nil {
		return o, context.Cause(ctx)
	}
	if o.ReadyMS = time.Since(from).Milliseconds(); err != nil {
		o.Late = err.Error()
	}
	return o, wait(ctx, r.o.Outage+r.o.Rest)
}
