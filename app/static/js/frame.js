// What every page loads: the pulse of its gate, times and numbers as the reader wants them, keys, notifications.

import { listen } from "./keys.js";
import { notifyChanges } from "./notify.js";
import { followNumbers } from "./numbers.js";
import { follow, typing } from "./pulse.js";
import { offerZones } from "./zone.js";

offerZones(typing);
followNumbers();
listen();
notifyChanges();
if (document.documentElement.dataset.view === "pulse") follow({ view: "pulse" });
