package membership

import (
	"bytes"
	"context"
	"time"
)

// announce tells the others how this relay changes, at its pace.
func (d *Directory) announce(ctx context.Context) {
	p := pace{last: time.Now()} // New has told who we are
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	for {
		select {
		case <-d.changed:
		case <-due.C:
		case <-ctx.Done():
			return
		}
		relay, urgent := d.own.toAnnounce()
		if wait := time.Until(p.due(d.book.size(), urgent)); wait > 0 {
			due.Reset(wait)
			continue
		}
		if d.announceNow(relay) {
			p.last = time.Now()
		}
	}
}

// announceTries is how often an announcement is repeated at once that was
// overtaken by the answer to somebody's doubt whether this relay lives.
const announceTries = 5

// announceNow announces what this relay is now. It returns false if there was
// nothing new: a load that has come back meanwhile is not worth a packet.
func (d *Directory) announceNow(relay Relay) bool {
	meta, err := Encode(relay)
	if err != nil {
		d.log.Error("cannot describe this relay", "err", err)
		return false
	}
	d.own.announced(relay)
	if bytes.Equal(meta, *d.accepted.Load()) {
		return false
	}
	d.meta.Store(&meta)
	for range announceTries {
		// The timeout is for waiting until others have the news. Nobody does.
		_ = d.gossip.UpdateNode(time.Nanosecond)
		if bytes.Equal(*d.accepted.Load(), meta) {
			break
		}
	}
	return true
}
