// What a program with Delighted's official Node client does; prints what it got as JSON.
// node client.js <host> <port> <key> <key that is used up after one request>
const [host, port, key, spentKey] = process.argv.slice(2);
const api = (k) => require("delighted")(k, { host, port, base: "/v1", scheme: "http" });
const delighted = api(key);
const found = {};

const refusal = (promise) => new Promise((resolve) => promise.then(() => resolve(null), resolve));
const shown = (error) => ({ type: error.type, message: error.message, retryAfter: error.retryAfter });
const each = async (list) => {
  const items = [];
  await list.autoPagingEach((item) => { items.push(item.toJSON()); }, { auto_handle_rate_limits: false });
  return items;
};

async function main() {
  const person = await delighted.person.create({
    email: "grace@example.com", name: "Grace", delay: 60, properties: { plan: "Pro", locale: "de" },
  });
  found.person = person.toJSON();
  found.people = await each(delighted.person.list({ per_page: 20 }));
  found.pending = await delighted.surveyRequest.deletePending({ person_email: "grace@example.com" });

  const made = await delighted.surveyResponse.create({ person: person.id, score: 7, comment: "Fine" });
  const response = await delighted.surveyResponse.retrieve(made.id, { expand: "person" });
  found.expanded = response.person.email;
  response.score = 10;
  found.saved = (await response.save()).toJSON();
  found.page = (await delighted.surveyResponse.all({ per_page: 100, page: 2 })).map((r) => r.toJSON());
  found.recent = (await delighted.surveyResponse.all({ since: new Date(Date.now() - 3600000), order: "desc" })).length;
  found.metrics = (await delighted.metrics.retrieve({ since: new Date(Date.now() - 3600000) })).toJSON();

  found.autopilot = (await delighted.autopilotConfiguration.retrieve("email")).toJSON();
  const members = delighted.autopilotMembership.forEmail();
  found.joined = (await members.create({ person_email: "grace@example.com", properties: { plan: "Pro" } })).toJSON();
  found.members = await each(members.list());
  found.left = await members.delete({ person_email: "grace@example.com" });

  found.unsubscribed = (await delighted.unsubscribe.create({ person_email: "grace@example.com" })).toJSON();
  found.unsubscribes = (await delighted.unsubscribe.all()).map((u) => u.toJSON());
  found.bounces = (await delighted.bounce.all()).map((b) => b.toJSON());
  found.deleted = await delighted.person.delete({ email: "grace@example.com" });

  const spent = api(spentKey);
  await spent.metrics.retrieve();
  found.errors = {
    key: shown(await refusal(api("wrong").metrics.retrieve())),
    missing: shown(await refusal(delighted.surveyResponse.retrieve("10"))),
    invalid: shown(await refusal(delighted.surveyResponse.create({ person: "10" }))),
    tooMany: shown(await refusal(spent.metrics.retrieve())),
  };
  console.log(JSON.stringify(found));
}

main().catch((error) => { console.error(error.type, error.message, error.stack); process.exit(1); });
