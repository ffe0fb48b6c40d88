// Package event reckons what an event takes: so many listeners arrive in so much
// time; how many relays of which machines does it need, how long do people wait,
// and what happens when a zone dies? It is arithmetic on the figures of package
// cost and shows how it came by each result. Who feeds whom is asked of
// relay/plan, how fast newcomers are let in of relay/admission, and how busy a
// relay may be of both and of membership/placement: so what is planned is what
// the relays will do.
//
// It measures nothing, has no goroutine, no socket and no clock. Package sim
// rehearses the same event listener by listener.
package event
