//! The devices that networks run on. The only file that names Burn's back ends.

use burn::tensor::{Device, Tensor};

use crate::error::{Error, Problem, Result};

/// A device by name. `flex` and `ndarray` are always available; the others need cargo features.
///
/// ```
/// use burncam_engine::DeviceName;
///
/// let device: DeviceName = "ndarray".parse().unwrap();
/// assert!(device.open().is_ok());
/// assert!("abacus".parse::<DeviceName>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceName(String);

/// The devices of this build, the default first.
pub const DEVICES: &[&str] = &[
    "flex",
    "ndarray",
    #[cfg(feature = "wgpu")]
    "wgpu",
    #[cfg(feature = "vulkan")]
    "vulkan",
    #[cfg(feature = "metal")]
    "metal",
    #[cfg(feature = "cuda")]
    "cuda",
    #[cfg(feature = "rocm")]
    "rocm",
    #[cfg(feature = "remote")]
    "remote",
];

impl Default for DeviceName {
    fn default() -> Self {
        Self(DEVICES[0].to_owned())
    }
}

impl std::fmt::Display for DeviceName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::str::FromStr for DeviceName {
    type Err = Error;

    /// A name from [`DEVICES`]; `remote` is followed by a colon and the address: `remote:ws://host:3000`.
    fn from_str(text: &str) -> Result<Self> {
        let kind = text.split(':').next().unwrap_or_default();
        if DEVICES.contains(&kind) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::request(
            Problem::new("is not in this build")
                .near(kind, DEVICES.iter().copied())
                .known("it has", DEVICES.iter().copied())
                .named("device", text)
                .hint("others come with cargo features"),
        ))
    }
}

impl DeviceName {
    /// Opens the device.
    ///
    /// # Errors
    /// When a remote device cannot be reached.
    pub fn open(&self) -> Result<Device> {
        Ok(match self.0.as_str() {
            "ndarray" =>
            {
                #[expect(deprecated, reason = "kept as an independent second opinion on flex's numbers")]
                Device::ndarray()
            }
            #[cfg(feature = "wgpu")]
            "wgpu" => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "vulkan")]
            "vulkan" => Device::vulkan(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "metal")]
            "metal" => Device::metal(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "cuda")]
            "cuda" => Device::cuda(0),
            #[cfg(feature = "rocm")]
            "rocm" => Device::rocm(0),
            #[cfg(feature = "remote")]
            remote if remote.starts_with("remote") => {
                let address = remote.split_once(':').map_or("ws://localhost:3000", |(_, address)| address);
                let host = burn::tensor::remote::RemoteHost::websocket(address);
                Device::remote_options(&host).init().map_err(|error| {
                    Error::request(
                        Problem::new(format!("cannot be reached: {error}"))
                            .named("device", remote)
                            .hint("is the server running?"),
                    )
                })?
            }
            // Parsing lets only names of this build through, so this is `flex`.
            _ => Device::flex(),
        })
    }

    /// Opens the device and adds two values on it, because some devices are only initialised on first use.
    ///
    /// # Errors
    /// When it cannot be opened or gives a wrong sum. Burn may panic instead where the hardware is missing.
    pub fn probe(&self) -> Result<()> {
        let sum = Tensor::<1>::from_data([1.0_f32, 2.0], &self.open()?).sum().try_to_vec_as::<f32>();
        match sum.as_deref() {
            Ok([3.0]) => Ok(()),
            other => Err(Error::request(format!("1 + 2 gave {other:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_device_is_refused_with_what_there_is() {
        let error = "fles".parse::<DeviceName>().unwrap_err().to_string();
        assert!(error.contains("did you mean 'flex'?") && error.contains("ndarray"), "{error}");
    }
}
