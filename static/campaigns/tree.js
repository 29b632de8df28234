"use strict";
// A sequence as a tree of steps: what can be done with it. Nothing here draws or asks anybody anything.
window.campaign = {
  isObject: (value) => typeof value === "object" && value !== null && !Array.isArray(value),

  clone: (value) => JSON.parse(JSON.stringify(value)),

  // All steps in reading order, each with the list it stands in, its place there, and the branch around it.
  walk(steps, visit, owner = null, way = "") {
    steps.forEach((step, place) => {
      visit({ step, list: steps, place, owner, way });
      if (step.kind !== "branch") return;
      campaign.walk(step.yes, visit, step, "yes");
      campaign.walk(step.no, visit, step, "no");
    });
  },

  find(tree, key) {
    let found = null;
    campaign.walk(tree.steps, (at) => {
      if (at.step.key === key) found = at;
    });
    return found;
  },

  count(tree) {
    let count = 0;
    campaign.walk(tree.steps, () => (count += 1));
    return count;
  },

  // The tree in a text; undefined if it cannot be shown as a picture, so that nothing of it gets lost.
  read(text, kinds) {
    const keys = new Set();
    const isStep = (step, depth) => {
      if (!campaign.isObject(step) || typeof step.key !== "string" || keys.has(step.key)) return false;
      if (!Object.hasOwn(kinds, step.kind) || depth > 10) return false;
      keys.add(step.key);
      if (step.kind !== "branch") return true;
      step.yes ??= [];
      step.no ??= [];
      return areSteps(step.yes, depth + 1) && areSteps(step.no, depth + 1);
    };
    const areSteps = (steps, depth) => Array.isArray(steps) && steps.every((step) => isStep(step, depth));
    // Numbers that JavaScript would change.
    if (/\d{16}/.test(text.replace(/"(\\.|[^"\\])*"/g, ""))) return undefined;
    try {
      const tree = text.trim() ? JSON.parse(text) : {};
      if (!campaign.isObject(tree) || Object.keys(tree).some((name) => name !== "steps")) return undefined;
      tree.steps ??= [];
      return areSteps(tree.steps, 1) ? tree : undefined;
    } catch {
      return undefined;
    }
  },

  // A key that no step of any version has had: who is moved to another version must not meet another step by its name.
  freshKey(kind) {
    const letters = "abcdefghjkmnpqrstuvwxyz23456789";
    const random = [...crypto.getRandomValues(new Uint8Array(7))].map((byte) => letters[byte % letters.length]);
    return `${kind.replace("_", "-")}-${random.join("")}`;
  },

  fresh(kind) {
    const more = { wait: { mode: "time", seconds: 86400 }, branch: { condition: {}, yes: [], no: [] } };
    return { key: campaign.freshKey(kind), kind, ...more[kind] };
  },

  // A place: after a step, at the beginning of a branch's way, or at the beginning of all ({}).
  insert(tree, { after, branch, way }, step) {
    if (after) {
      const { list, place } = campaign.find(tree, after);
      list.splice(place + 1, 0, step);
    } else if (branch) campaign.find(tree, branch).step[way].unshift(step);
    else tree.steps.unshift(step);
  },

  remove(tree, key) {
    const { list, place } = campaign.find(tree, key);
    return list.splice(place, 1)[0];
  },

  isWithin(step, key) {
    let found = step.key === key;
    if (step.kind === "branch") {
      campaign.walk([...step.yes, ...step.no], ({ step: inner }) => (found ||= inner.key === key));
    }
    return found;
  },

  moveTo(tree, key, target) {
    const { step } = campaign.find(tree, key);
    if (campaign.isWithin(step, target.after || target.branch || "")) return false;
    campaign.remove(tree, key);
    campaign.insert(tree, target, step);
    return true;
  },

  // What a step can do from where it stands: name → [what it is called with, do it]. Up from the top of a way leads
  // out before its branch, down from its end out behind it.
  moves(tree, key) {
    const { step, list, place, owner, way } = campaign.find(tree, key);
    const found = new Map();
    const swap = (other) => () => {
      [list[place], list[other]] = [list[other], list[place]];
    };
    const outTo = (offset) => () => {
      list.splice(place, 1);
      const outer = campaign.find(tree, owner.key);
      outer.list.splice(outer.place + offset, 0, step);
    };
    if (place > 0) found.set("up", [null, swap(place - 1)]);
    else if (owner) found.set("up", [null, outTo(0)]);
    if (place < list.length - 1) found.set("down", [null, swap(place + 1)]);
    else if (owner) found.set("down", [null, outTo(1)]);
    const [before, after] = [list[place - 1], list[place + 1]];
    const branch = before?.kind === "branch" ? before : after?.kind === "branch" ? after : null;
    for (const name of branch ? ["yes", "no"] : []) {
      found.set(`into_${name}`, [branch.key, () => {
        list.splice(place, 1);
        if (branch === before) branch[name].push(step);
        else branch[name].unshift(step);
      }]);
    }
    if (owner) {
      found.set("other_way", [null, () => {
        list.splice(place, 1);
        owner[way === "yes" ? "no" : "yes"].push(step);
      }]);
      found.set("out", [null, outTo(1)]);
    }
    return found;
  },

  duplicate(tree, key) {
    const { step, list, place } = campaign.find(tree, key);
    const copy = campaign.clone(step);
    campaign.walk([copy], ({ step: inner }) => (inner.key = campaign.freshKey(inner.kind)));
    list.splice(place + 1, 0, copy);
    return copy;
  },
};
