package handover

import "understudy/fleet"

// What the fleet counts, the line spells out: another version may count differently.

func stateWord(s fleet.State) string { return s.String() }

// stateOf reads a state. One that is not known is taken for ready: what serves there serves here.
func stateOf(word string) fleet.State {
	for s := fleet.Starting; s <= fleet.Gone; s++ {
		if s.String() == word {
			return s
		}
	}
	return fleet.Active
}

func kindWords() map[fleet.Kind]string {
	return map[fleet.Kind]string{
		fleet.Served: "served", fleet.Broke: "broke", fleet.ClientGone: "client-gone", fleet.Busy: "busy", fleet.Unused: "unused", fleet.Tunnel: "tunnel",
	}
}

func kindWord(k fleet.Kind) string { return kindWords()[k] }

// kindOf reads how a task ended. One that is not known says nothing about its worker.
func kindOf(word string) fleet.Kind {
	for k, w := range kindWords() {
		if w == word {
			return k
		}
	}
	return fleet.Unused
}

// refusals are the errors of fleet.Acquire that travel.
func refusals() map[string]error {
	return map[string]error{
		"unknown-capability": fleet.ErrUnknownCapability, "queue-full": fleet.ErrQueueFull,
		"queue-timeout": fleet.ErrQueueTimeout, "no-worker": fleet.ErrNoWorker,
	}
}
