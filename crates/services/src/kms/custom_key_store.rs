//! Custom key stores. A key store keeps its material in a CloudHSM cluster or behind an external
//! key store's proxy. Palisade has no cluster and calls no proxy, so none can be created or
//! connected, and each of these calls is refused as AWS refuses it where what it names is not
//! there.
//!
//! Source: AWS KMS API reference, CreateCustomKeyStore and its like.

use super::VALIDATION_EXCEPTION;
use crate::context::Context;
use crate::page;
use palisade_model::kms::{
    CLOUD_HSM_CLUSTER_NOT_FOUND_EXCEPTION, CUSTOM_KEY_STORE_NOT_FOUND_EXCEPTION,
    ConnectCustomKeyStoreRequest, ConnectCustomKeyStoreResponse, CreateCustomKeyStoreRequest,
    CreateCustomKeyStoreResponse, DeleteCustomKeyStoreRequest, DeleteCustomKeyStoreResponse,
    DescribeCustomKeyStoresRequest, DescribeCustomKeyStoresResponse,
    DisconnectCustomKeyStoreRequest, DisconnectCustomKeyStoreResponse, INVALID_MARKER_EXCEPTION,
    UpdateCustomKeyStoreRequest, UpdateCustomKeyStoreResponse, XKS_PROXY_URI_UNREACHABLE_EXCEPTION,
};
use palisade_shape::{Error, Result};

fn missing(id: &str) -> Error {
    let text = format!("The custom key store {id} does not exist in this account and Region.");
    CUSTOM_KEY_STORE_NOT_FOUND_EXCEPTION.because(text)
}

fn lacks(member: &str, kind: &str) -> Error {
    VALIDATION_EXCEPTION.because(format!("{member} is required for a {kind} custom key store."))
}

/// Refuses the origins of keys whose material would be in a custom key store.
pub fn check_origin(origin: &str, store: Option<String>, xks_key: Option<String>) -> Result<()> {
    match (origin, store) {
        ("AWS_CLOUDHSM" | "EXTERNAL_KEY_STORE", None) => Err(VALIDATION_EXCEPTION
            .because(format!("CustomKeyStoreId is required for keys of Origin {origin}."))),
        ("AWS_CLOUDHSM" | "EXTERNAL_KEY_STORE", Some(store)) => Err(missing(&store)),
        (_, Some(_)) => Err(VALIDATION_EXCEPTION
            .because(format!("CustomKeyStoreId is not valid for keys of Origin {origin}."))),
        (_, None) if xks_key.is_some() => Err(VALIDATION_EXCEPTION
            .because(format!("XksKeyId is not valid for keys of Origin {origin}."))),
        (_, None) => Ok(()),
    }
}

/// Refuses randomness from a custom key store's cluster.
pub fn check_random(store: Option<&str>) -> Result<()> {
    match store {
        None => Ok(()),
        Some(store) => Err(missing(store)),
    }
}

/// Checks the input whole, then finds no cluster and reaches no proxy.
pub fn create_custom_key_store(
    _cx: &mut Context,
    input: CreateCustomKeyStoreRequest,
) -> Result<CreateCustomKeyStoreResponse> {
    let CreateCustomKeyStoreRequest {
        custom_key_store_name: _,
        cloud_hsm_cluster_id,
        trust_anchor_certificate,
        key_store_password,
        custom_key_store_type,
        xks_proxy_uri_endpoint,
        xks_proxy_uri_path,
        xks_proxy_vpc_endpoint_service_name,
        xks_proxy_vpc_endpoint_service_owner: _,
        xks_proxy_authentication_credential,
        xks_proxy_connectivity,
    } = input;
    if custom_key_store_type.as_deref() == Some("EXTERNAL_KEY_STORE") {
        let kind = "EXTERNAL_KEY_STORE";
        let endpoint = xks_proxy_uri_endpoint.ok_or_else(|| lacks("XksProxyUriEndpoint", kind))?;
        let path = xks_proxy_uri_path.ok_or_else(|| lacks("XksProxyUriPath", kind))?;
        let connectivity =
            xks_proxy_connectivity.ok_or_else(|| lacks("XksProxyConnectivity", kind))?;
        if xks_proxy_authentication_credential.is_none() {
            return Err(lacks("XksProxyAuthenticationCredential", kind));
        }
        if connectivity == "VPC_ENDPOINT_SERVICE" && xks_proxy_vpc_endpoint_service_name.is_none() {
            return Err(lacks("XksProxyVpcEndpointServiceName", kind));
        }
        return Err(XKS_PROXY_URI_UNREACHABLE_EXCEPTION
            .because(format!("The external key store proxy at {endpoint}{path} is unreachable.")));
    }
    let kind = "AWS_CLOUDHSM";
    let cluster = cloud_hsm_cluster_id.ok_or_else(|| lacks("CloudHsmClusterId", kind))?;
    if trust_anchor_certificate.is_none() {
        return Err(lacks("TrustAnchorCertificate", kind));
    }
    if key_store_password.is_none() {
        return Err(lacks("KeyStorePassword", kind));
    }
    let text = format!("The AWS CloudHSM cluster {cluster} does not exist in this Region.");
    Err(CLOUD_HSM_CLUSTER_NOT_FOUND_EXCEPTION.because(text))
}

/// Lists the custom key stores, of which there are none.
pub fn describe_custom_key_stores(
    _cx: &mut Context,
    input: DescribeCustomKeyStoresRequest,
) -> Result<DescribeCustomKeyStoresResponse> {
    let DescribeCustomKeyStoresRequest {
        custom_key_store_id,
        custom_key_store_name,
        limit: _,
        marker,
    } = input;
    if custom_key_store_id.is_some() && custom_key_store_name.is_some() {
        return Err(VALIDATION_EXCEPTION
            .because("CustomKeyStoreId and CustomKeyStoreName cannot both be specified."));
    }
    if let Some(named) = custom_key_store_id.or(custom_key_store_name) {
        return Err(missing(&named));
    }
    page::start(marker.as_deref(), &INVALID_MARKER_EXCEPTION)?;
    Ok(DescribeCustomKeyStoresResponse {
        custom_key_stores: Some(Vec::new()),
        next_marker: None,
        truncated: Some(false),
    })
}

pub fn connect_custom_key_store(
    _cx: &mut Context,
    input: ConnectCustomKeyStoreRequest,
) -> Result<ConnectCustomKeyStoreResponse> {
    let ConnectCustomKeyStoreRequest { custom_key_store_id } = input;
    Err(missing(&custom_key_store_id))
}

pub fn disconnect_custom_key_store(
    _cx: &mut Context,
    input: DisconnectCustomKeyStoreRequest,
) -> Result<DisconnectCustomKeyStoreResponse> {
    let DisconnectCustomKeyStoreRequest { custom_key_store_id } = input;
    Err(missing(&custom_key_store_id))
}

pub fn delete_custom_key_store(
    _cx: &mut Context,
    input: DeleteCustomKeyStoreRequest,
) -> Result<DeleteCustomKeyStoreResponse> {
    let DeleteCustomKeyStoreRequest { custom_key_store_id } = input;
    Err(missing(&custom_key_store_id))
}

pub fn update_custom_key_store(
    _cx: &mut Context,
    input: UpdateCustomKeyStoreRequest,
) -> Result<UpdateCustomKeyStoreResponse> {
    Err(missing(&input.custom_key_store_id))
}
