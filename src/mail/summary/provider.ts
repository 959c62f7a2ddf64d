/** Suffixes of relay hosts and recipient domains of large providers. */
const PROVIDERS: Readonly<Record<string, string>> = {
  "google.com": "google",
  "googlemail.com": "google",
  "gmail.com": "google",
  "psmtp.com": "google",
  "outlook.com": "microsoft",
  "hotmail.com": "microsoft",
  "live.com": "microsoft",
  "msn.com": "microsoft",
  "office365.us": "microsoft",
  "yahoodns.net": "yahoo",
  "yahoo.com": "yahoo",
  "yahoo.co.jp": "yahoo japan",
  "aol.com": "yahoo",
  "icloud.com": "apple",
  "me.com": "apple",
  "mac.com": "apple",
  "apple.com": "apple",
  "gmx.net": "gmx and web.de",
  "gmx.de": "gmx and web.de",
  "gmx.com": "gmx and web.de",
  "web.de": "gmx and web.de",
  "mail.ru": "mail.ru",
  "yandex.ru": "yandex",
  "yandex.net": "yandex",
  "qq.com": "tencent",
  "foxmail.com": "tencent",
  "163.com": "netease",
  "126.com": "netease",
  "netease.com": "netease",
  "naver.com": "naver",
  "t-online.de": "telekom",
  "kundenserver.de": "ionos",
  "ionos.com": "ionos",
  "ionos.de": "ionos",
  "ovh.net": "ovh",
  "orange.fr": "orange",
  "wanadoo.fr": "orange",
  "laposte.net": "la poste",
  "free.fr": "free",
  "libero.it": "libero",
  "comcast.net": "comcast",
  "messagingengine.com": "fastmail",
  "fastmail.com": "fastmail",
  "protonmail.ch": "proton",
  "proton.me": "proton",
  "zoho.com": "zoho",
  "zoho.eu": "zoho",
  "pphosted.com": "proofpoint",
  "ppe-hosted.com": "proofpoint",
  "mimecast.com": "mimecast",
  "barracudanetworks.com": "barracuda",
  "messagelabs.com": "broadcom",
  "iphmx.com": "cisco",
  "trendmicro.com": "trend micro",
  "trendmicro.eu": "trend micro",
  "hornetsecurity.com": "hornetsecurity",
  "antispameurope.com": "hornetsecurity",
  "amazonaws.com": "amazon",
  "secureserver.net": "godaddy",
  "emailsrvr.com": "rackspace",
};
/** Second labels below which registries of countries give names. */
const SECOND_LEVEL = new Set(["ac", "co", "com", "edu", "gob", "gov", "ne", "net", "nom", "or", "org"]);

/** The provider behind a relay host or a recipient's domain: a name of the table, else the part that one registers. */
export function providerOf(host: string): string {
  const name = host.toLowerCase().replace(/\.$/, "");
  if (/^[\d.]*$|:/.test(name)) return name;
  const labels = name.split(".").slice(-4);
  for (let n = Math.min(3, labels.length); n >= 2; n--) {
    const suffix = labels.slice(-n).join(".");
    if (Object.hasOwn(PROVIDERS, suffix)) return PROVIDERS[suffix]!;
  }
  const country = labels.length > 2 && labels.at(-1)!.length === 2 && SECOND_LEVEL.has(labels.at(-2)!);
  return labels.slice(country ? -3 : -2).join(".");
}
