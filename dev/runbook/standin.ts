/** The stand-in for Stripe on the host of the trial; laid into the installed package there. Started by surroundings.ts. */
import { stripeApiVersion } from "../../lib/payments/stripe/signed.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { startStripe } from "../stripe.ts";

const [port, key = "", webhookSecret = "", webhookUrl = ""] = process.argv.slice(2);
const options = { port: Number(port), key, webhookSecret, webhookUrl, apiVersion: stripeApiVersion };
await startStripe({ ...options, clock: systemClock, log: (line) => console.log(line) });
