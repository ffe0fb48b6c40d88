// Package wire is a network of hosts within this machine, with a round trip,
// jitter and losses like those between cities. Each host is a network namespace
// of its own, so a program that runs there needs to know nothing of it: it binds
// its usual ports and sends to addresses. All packets go through a delay line in
// this process, which can also cut a host off.
//
// Namespaces have no names and are held by this process and by what runs in
// them, so nothing is left behind however it ends. It needs Linux, root and
// /dev/net/tun, and neither iproute2 nor the kernel's netem.
package wire
