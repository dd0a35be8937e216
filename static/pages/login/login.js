// What a guest chose in this browser goes along with the log-in, so that the account has it where it has no choice yet.

import { stored } from "../../components/preferences.js";

document.querySelector("[name=preferences]").value = JSON.stringify(stored());
