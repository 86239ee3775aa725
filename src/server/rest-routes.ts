// The HTTP paths that the protos declare with `google.api.http`, read from the service descriptors.

import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { getOption, hasOption } from "@bufbuild/protobuf";
import { http } from "../../gen/google/api/annotations_pb.ts";
import type { HttpRule } from "../../gen/google/api/http_pb.ts";

export interface RestRoute {
  readonly httpMethod: string;
  readonly path: string;
  readonly method: DescMethod;
  /** Status of a good answer. */
  readonly status: 200 | 201;
}

/** The one method that makes something with a name of its own, and whose original said so. */
const creators: ReadonlySet<string> = new Set(["wallet.v1.WalletService.InitWallet"]);

/**
 * Routes by path; a path may have several, one for each HTTP method. Throws where an annotation asks for what the transcoder does not do, so
 * that a proto that needs more is noticed when the server starts.
 */
export function restRoutes(services: readonly DescService[]): ReadonlyMap<string, readonly RestRoute[]> {
  const routes = new Map<string, RestRoute[]>();
  for (const method of services.flatMap((service) => service.methods)) {
    if (!hasOption(method, http)) continue;
    const rule = getOption(method, http);
    for (const binding of [rule, ...rule.additionalBindings]) {
      const route = routeOf(method, binding);
      const others = routes.get(route.path) ?? [];
      if (others.some((other) => other.httpMethod === route.httpMethod)) throw unsupported(method, `${route.httpMethod} ${route.path} belongs to two methods`);
      routes.set(route.path, [...others, route]);
    }
  }
  return routes;
}

function routeOf(method: DescMethod, rule: HttpRule): RestRoute {
  const { pattern } = rule;
  if (pattern.case === undefined || pattern.case === "custom") throw unsupported(method, "the pattern is not get, put, post, delete or patch");
  const path = pattern.value;
  if (!/^(?:\/[A-Za-z0-9_.~-]+)+$/.test(path)) throw unsupported(method, `the path ${path} has variables or characters that need escaping`);
  if (rule.responseBody !== "") throw unsupported(method, "response_body is set");
  const takesWholeBody = pattern.case === "post" || pattern.case === "put" || pattern.case === "patch";
  if (takesWholeBody && rule.body !== "*") throw unsupported(method, 'the body is not "*"');
  if (!takesWholeBody && rule.body !== "") throw unsupported(method, "a get or delete declares a body");
  if (method.methodKind !== "unary") throw unsupported(method, "the method streams");
  const status = creators.has(`${method.parent.typeName}.${method.name}`) ? 201 : 200;
  return { httpMethod: pattern.case.toUpperCase(), path, method, status };
}

function unsupported(method: DescMethod, what: string): Error {
  return new Error(`google.api.http of ${method.parent.typeName}.${method.name}: ${what}`);
}
