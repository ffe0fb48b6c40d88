// Package deliver answers what a session asks for: announcements, track
// information, subscriptions and fetches. Each subscription has a bounded queue
// that the track fills and one goroutine that drains it onto the wire, so a
// session that does not keep up waits and loses alone.
package deliver
