/**
 * What each template is given, by name: the programs' data and a page's frame as shapes, so that a misspelt name is
 * found when the site is built and not when a customer opens the page. A test holds them against the programs.
 */

/** Words, a list of things of one shape, or a thing with named parts; "any" where it cannot be told. */
export type Shape = "text" | "any" | readonly [Shape] | ShapeRecord;
export interface ShapeRecord {
  readonly [name: string]: Shape;
}

/** Names that are all words. */
function texts(names: string): ShapeRecord {
  const shape: Record<string, Shape> = {};
  for (const name of names.split(" ")) shape[name] = "text";
  return shape;
}

const link = texts("label href");
const marked = texts("label href current");

/** lib/util/templates.ts, frameData. */
export const frameShape: ShapeRecord = {
  site: texts("name tagline url search"),
  page: {
    ...texts("title description path home date dateText updated updatedText canonical image"),
    breadcrumbs: [link],
    previous: link,
    next: link,
    contents: [{ ...link, children: [link] }],
    tags: [link],
    entries: [{ ...texts("href title description date dateText"), tags: [link] }],
    feed: link,
  },
  navigation: [{ ...marked, open: "text", children: [marked] }],
  accountLinks: [marked],
  content: "text",
};

/** The layout that account pages wear (cgi/support), and pages that ask for none. Programs are given no data files. */
export const accountLayout = "page";

/** What respondPage adds to every account page. */
const accountPage = texts("site path formToken");
/** Some words of a search result. */
const part = texts("text marked");
const warning = texts(
  "site balance costPerDay days isOneDay warnDays isOneWarnDay warnBelow runsOut daysToDeletion deletionFrom countdownDays isOneCountdownDay payUrl accountUrl account",
);
const signupMail = texts("site confirmUrl hours loginUrl");

/** By the name of the template: "account/login", "mail/low". */
export const templateShapes: ShapeRecord = {
  "account/account": {
    ...accountPage,
    ...texts(
      "email account balance costPerDay daysLeft isOneDay isNew isLow isOverdrawn runsOut since deletionFrom from to wrongDates older newest asOf pay payments history settings logout",
    ),
    steps: [texts("day isDeletion")],
    lines: [
      {
        ...texts("day isPayment isUsage what reference change balanceAfter"),
        details: [texts("machine meter quantity amount")],
      },
    ],
  },
  "account/address": {
    ...accountPage,
    ...texts("email error current needsCode isPasskeyFresh showPasskey settings"),
  },
  "account/address-confirm": { ...accountPage, ...texts("token email") },
  "account/address-done": { ...accountPage, ...texts("email account") },
  "account/address-sent": { ...accountPage, ...texts("email") },
  "account/address-undo": { ...accountPage, ...texts("undo email") },
  "account/address-undone": { ...accountPage, ...texts("email reset") },
  "account/address-used": { ...accountPage, ...texts("address") },
  "account/close": {
    ...accountPage,
    ...texts(
      "error balance isLeft isOwed isRefund isKept isSure days needsCode isPasskeyFresh showPasskey exportPath settings",
    ),
  },
  "account/close-done": { ...accountPage, ...texts("days email") },
  "account/close-undo": { ...accountPage, ...texts("token email") },
  "account/close-undone": { ...accountPage, ...texts("login reset") },
  "account/close-used": { ...accountPage, ...texts("login") },
  "account/confirm": { ...accountPage, ...texts("token email error signup") },
  "account/confirm-used": { ...accountPage, ...texts("signup login") },
  "account/confirmed": { ...accountPage, ...texts("login") },
  "account/error": texts("title sentence path"),
  "account/factor": {
    ...accountPage,
    ...texts(
      "error hasFactor hasApp hasPasskey needsCode isPasskeyFresh showPasskey isOffered codesLeft isOneCode passkeys settings",
    ),
  },
  "account/factor-codes": { ...accountPage, codes: ["text"], ...texts("settings") },
  "account/factor-new": { ...accountPage, ...texts("error secret qrSize qrPath") },
  "account/history": {
    ...accountPage,
    ...texts("month previous next total machine everything account"),
    machines: [texts("name amount href current")],
    meters: [
      {
        ...texts("id label total mostDay most"),
        chart: {
          ...texts("width height base"),
          bars: [texts("x y width height title")],
          ticks: [texts("x label")],
        },
      },
    ],
    lengths: [texts("label days before daysBefore price priceBefore isMore")],
    rows: [texts("day machine meter quantity said price amount")],
  },
  "account/login": { ...accountPage, ...texts("email error passkey signup reset") },
  "account/logout": accountPage,
  "account/machine": {
    ...accountPage,
    ...texts(
      "error machine name typed registered retired needsCode isPasskeyFresh showPasskey usage machines",
    ),
  },
  "account/machine-unknown": { ...accountPage, ...texts("machines") },
  "account/machines": {
    ...accountPage,
    ...texts("error name token minutes needsCode isPasskeyFresh showPasskey settings"),
    machines: [texts("name machine registered retired href")],
  },
  "account/passkey-ask": {
    ...accountPage,
    ...texts("title isNew kind question next back away"),
  },
  "account/passkey-refused": { ...accountPage, ...texts("login") },
  "account/passkey-remove": {
    ...accountPage,
    ...texts("error id name isLast needsCode isPasskeyFresh showPasskey passkeys"),
  },
  "account/passkey-show": { ...accountPage, ...texts("error back backPath") },
  "account/passkeys": {
    ...accountPage,
    ...texts("error name added isOffered needsCode isPasskeyFresh showPasskey settings"),
    passkeys: [texts("name isSynced made used href")],
  },
  "account/password": {
    ...accountPage,
    ...texts("error needsCode isPasskeyFresh showPasskey tokens settings"),
  },
  "account/recharge": {
    ...accountPage,
    ...texts(
      "error isOffered isWaiting isOn isOffFailures isOffCard isOffBank isOffDispute below amount cap spent isOpen nextDay brand last4 expires needsCode isPasskeyFresh showPasskey settings",
    ),
    holds: texts("below amount cap"),
  },
  "account/reset": { ...accountPage, ...texts("email error") },
  "account/reset-done": { ...accountPage, ...texts("login") },
  "account/reset-new": { ...accountPage, ...texts("token error") },
  "account/reset-sent": { ...accountPage, ...texts("email") },
  "account/reset-used": { ...accountPage, ...texts("reset") },
  "account/pay": { ...accountPage, ...texts("amount error order minimum maximum") },
  "account/pay-ended": { ...accountPage, ...texts("pay account") },
  "account/pay-unknown": accountPage,
  "account/pay-waiting": { ...accountPage, ...texts("account") },
  "account/payments": {
    ...accountPage,
    ...texts("pay account"),
    payments: [texts("begun isRecharge amount tax returned isPaid isOpen isExpired isFailed receipt href")],
  },
  "account/receipt": {
    ...accountPage,
    ...texts("number made buyerTaxId account order day amount tax total returned payments"),
    seller: ["text"],
    buyer: ["text"],
  },
  "account/receipt-new": { ...accountPage, ...texts("buyer buyerTaxId error order amount day payments") },
  "account/search": {
    ...texts("site path typed error longest isAsked total isOne isMore isPartial first previous next"),
    results: [{ path: "text", title: [part], snippet: [part] }],
  },
  "account/second": { ...accountPage, ...texts("token") },
  "account/second-done": { ...accountPage, ...texts("email") },
  "account/second-used": { ...accountPage, ...texts("warnings") },
  "account/sessions": {
    ...accountPage,
    ...texts("ended hasOthers lifeHours idleMinutes settings"),
    sessions: [texts("id browser network began seen isThis")],
  },
  "account/settings": {
    ...accountPage,
    ...texts(
      "email close machines sessionCount tokenCount tokens hasFactor factor passkeyCount passkeys address password sessions recharge isRecharged warnings account",
    ),
  },
  "account/tokens": {
    ...accountPage,
    ...texts("error name token needsCode isPasskeyFresh showPasskey dataUrl data settings"),
    tokens: [texts("id name made used")],
  },
  "account/warnings": {
    ...accountPage,
    ...texts("error days dollars second proposed saved usualDays isOneUsualDay settings"),
  },
  "account/signup": { ...accountPage, ...texts("email error terms termsPage") },
  "account/signup-sent": { ...accountPage, ...texts("email") },
  "mail/address-confirm": texts("site confirmUrl hours"),
  "mail/address-moved": texts("site at email undoUrl days"),
  "mail/address-taken": texts("site loginUrl"),
  "mail/address-undone": texts("site at resetUrl"),
  "mail/closed": texts("site days"),
  "mail/closing": texts("site at days undoUrl"),
  "mail/confirm": signupMail,
  "mail/countdown": warning,
  "mail/due": warning,
  "mail/factor": texts("site at isOn isOff isAppOff isCodes resetUrl"),
  "mail/known": signupMail,
  "mail/low": warning,
  "mail/new-place": texts("site at browser network sessionsUrl resetUrl"),
  "mail/overdrawn": warning,
  "mail/passkey": texts("site at name isAdded isAlone passkeysUrl resetUrl"),
  "mail/password-changed": texts("site at resetUrl"),
  "mail/reset": texts("site resetUrl minutes"),
  "mail/machine-retired": texts("site at name resetUrl"),
  "mail/recharge-failed": texts("site amount isPoor isExpired isOwnerAsked isOff nextDay payUrl rechargeUrl"),
  "mail/recharge-off": texts("site at isDispute rechargeUrl resetUrl"),
  "mail/recharge-on": texts("site at below amount cap last4 rechargeUrl resetUrl"),
  "mail/recharged": texts("site order amount balance spent cap accountUrl rechargeUrl"),
  "mail/recovery-used": texts("site at network factorUrl resetUrl"),
  "mail/token": texts("site at name tokensUrl resetUrl"),
  "mail/wrong-code": texts("site at browser network resetUrl"),
  "mail/second": texts("site confirmUrl hours"),
  "mail/report": texts("site day isGood lines summary"),
};
